#!/bin/sh
# A hundred nights of growing exports with faults thrown in: kills at any moment, failing calls, a full disk, too little
# memory, a wrong study, a broken export, two runs at once. After each night: `latest` is a whole publication, an old or the new one; nothing of a
# dead run is left; exit statuses say what happened.
#   tests/soak.sh PROGRAM FAULTS.SO NIGHTS
set -eu
program=$(realpath "$1") faults=$(realpath "$2") nights=$3
cd "$(dirname "$0")/.."
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
export XDG_CONFIG_HOME="$here/config" # pseudonyms under a key of its own, not the user's
cp -r specs/ifsw "$here/study"
sed -i 's|\.\./\.\./fixtures/ifsw|data|g' "$here/study/study.yaml"
printf 'keep: 5\n' >> "$here/study/study.yaml"
mkdir "$here/study/data"
published=0 refused=0 killed=0 unchanged=0 rows=0 seed=20261122

# A pseudo-random number below $1 into $dice, the same in every soak.
roll() {
    seed=$(((seed * 1103515245 + 12345) % 2147483648))
    dice=$((seed / 65536 % $1))
}
fail() { echo "night $night: $*" >&2; cat "$here/said" >&2; exit 1; }

# The run as a child of its own, so that a kill hits the program and not a shell around it. What stands before "run" goes to env.
start() {
    env "$@" "$program" run "$here/study" --out "$here/out" --lang en --only participants,scores --json > "$here/json" 2> "$here/said" &
    child=$!
}

night=0
while [ "$night" -lt "$nights" ]; do
    night=$((night + 1))
    roll 4
    if [ "$dice" -gt 0 ] || [ "$night" = 1 ]; then # in a quarter of the nights nothing new came
        "$program" simulate specs/ifsw --out "$here/study/data" --n $((600 + night * 20)) --seed 7 > /dev/null
    fi
    roll 9
    kind=$dice status=0
    [ "$night" = 1 ] && kind=0
    case $kind in
    0 | 1 | 2) start; wait $child || status=$? ;;
    3) # killed at some moment
        start
        roll 150
        sleep "$((dice / 100)).$(printf %02d $((dice % 100)))"
        kill -9 $child 2> /dev/null || true
        wait $child 2> /dev/null || status=$?
        ;;
    4) # one call fails, or every one from there on
        roll 300
        start LD_PRELOAD="$faults" RSP_FAULT_UNDER="$here/out" RSP_FAULT_AT=$((1 + dice)) RSP_FAULT_STAYS=$((dice % 2)) \
            RSP_FAULT_REPORT="$here/report"
        wait $child || status=$?
        ;;
    5) # the study is wrong
        sed -i 's/^tables:/tabels:/' "$here/study/study.yaml"
        start; wait $child || status=$?
        sed -i 's/^tabels:/tables:/' "$here/study/study.yaml"
        [ "$status" = 3 ] || fail "a wrong study ends with $status"
        ;;
    6) # an export that cannot be read
        file=$(ls "$here"/study/data/* | head -1)
        cp "$file" "$here/sound"
        printf '\000\001\002' > "$file"
        start; wait $child || status=$?
        cp "$here/sound" "$file"
        [ "$status" = 4 ] || fail "a broken export ends with $status"
        ;;
    7) # two at once: one of them may find the lock held
        start
        first=$child
        start
        wait $child || status=$?
        [ "$status" -le 1 ] || [ "$status" = 6 ] || fail "the second of two ends with $status"
        status=0
        wait "$first" || status=$?
        [ "$status" -le 1 ] || [ "$status" = 6 ] || fail "the first of two ends with $status"
        ;;
    8) # an allocation fails
        roll 30000
        start LD_PRELOAD="$faults" RSP_FAULT_MEMORY=$((1 + dice * 10)) RSP_FAULT_SHORT=$((dice % 2))
        wait $child || status=$?
        [ "$status" -le 1 ] || grep -q 'out of memory; nothing was published' "$here/said" || fail "short of memory ends with $status"
        ;;
    esac
    case $status in
    0 | 1) if grep -q '"outcome":"unchanged"' "$here/json"; then unchanged=$((unchanged + 1)); else published=$((published + 1)); fi ;;
    3 | 4 | 5 | 6 | 70) refused=$((refused + 1)) ;;
    137) killed=$((killed + 1)) ;;
    *) fail "ends with $status" ;;
    esac
    if [ -e "$here/out/ifsw/latest" ]; then
        "$program" verify "$here/out/ifsw/latest" > /dev/null 2> "$here/said" || fail "latest is not whole"
        now=$(sed -n 's/.*"read": \([0-9]*\).*/\1/p' "$here/out/ifsw/latest/manifest.json")
        [ "$now" -ge "$rows" ] || fail "latest went back from $rows to $now rows"
        rows=$now
    elif [ "$status" -le 1 ]; then
        fail "published, and there is no latest"
    fi
    if [ "$status" -le 1 ]; then # a whole night also cleans up after a dead one
        ! ls -d "$here"/out/ifsw/.staging-* > /dev/null 2>&1 || fail "staging is left"
        [ "$(find "$here/out/ifsw" -maxdepth 1 -name '2*Z*' | wc -l)" -le 5 ] || fail "more than five publications are kept"
    fi
    if grep -raq never-to-be-published "$here/out"; then fail "free text is in the outputs"; fi
done
echo "$nights nights: $published published, $unchanged without anything new, $refused refused, $killed killed; latest holds $rows rows"
[ "$published" -gt $((nights / 4)) ] && [ "$refused" -gt 0 ] && [ "$killed" -gt 0 ] && [ "$unchanged" -gt 0 ]
