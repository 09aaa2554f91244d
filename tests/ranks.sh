#!/bin/sh
# Several ranks on this machine: the same bytes as one process, and nothing published when one of them is killed.
#   tests/ranks.sh PROGRAM MPI_PROGRAM
set -eu
one=$(realpath "$1") many=$(realpath "$2")
cd "$(dirname "$0")/.."
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
root=""
[ "$(id -u)" != 0 ] || root=--allow-run-as-root
fail() { echo "ranks: $*" >&2; exit 1; }

# The study $2 (in folder $1), by one process and by 1, 2 and 3 ranks; further arguments go to `run`.
same_bytes() {
    dir=$1 id=$2
    shift 2
    "$one" run "$dir" --out "$here/one" --quiet "$@"
    for n in 1 2 3; do
        mpirun $root --oversubscribe -np "$n" "$many" run "$dir" --out "$here/$n" --jobs 1 --quiet "$@"
        "$one" diff "$here/one/$id/latest" "$here/$n/$id/latest" > /dev/null || fail "$n ranks give other results of $id"
        for file in $(cd "$here/one/$id/latest/" && find . -type f ! -name manifest.json ! -name run.log); do
            cmp -s "$here/one/$id/latest/$file" "$here/$n/$id/latest/$file" || fail "$n ranks give another $file of $id"
        done
    done
}

same_bytes specs/wvs wvs

# Replicates and completed data sets are dealt out: tables, models with replicates, marginal effects, linearised tables of
# completed data.
mkdir "$here/dealt"
cp specs/bench/*.csv "$here/dealt"
sed -e 's/replicates: 200/replicates: 50/' \
    -e 's/^tables:/imputation: {variables: [lis1, chg1], predictors: [sector], m: 3, iterations: 2, seed: 1}\ntables:/' \
    -e '/^models:/a\  - {id: odds, kind: logistic, formula: "changed ~ F01 + sector", margins: [F01]}' \
    specs/bench/study.yaml > "$here/dealt/study.yaml"
"$one" simulate "$here/dealt" --out "$here/dealt/exports" --n 900 --seed 1 > /dev/null
same_bytes "$here/dealt" bench --only shares,shares_taylor,linear,linear_taylor,odds,ordinal --lang en
mpirun $root --oversubscribe -np 2 "$many" run "$here/dealt" --out "$here/log" --jobs 1 --only shares,shares_taylor --lang en --quiet
grep -q 'computing shares on all ranks' "$here/log/bench/latest/run.log" || fail "replicates were not dealt out"
grep -q 'computing shares_taylor on data set' "$here/log/bench/latest/run.log" || fail "completed data sets were not dealt out"

# Nights on made-up answers are dealt out whole.
"$one" rehearse "$here/dealt" --out "$here/nights/one" --nights 7 --n 300 --quiet
for n in 2 3; do
    mpirun $root --oversubscribe -np "$n" "$many" rehearse "$here/dealt" --out "$here/nights/$n" --nights 7 --n 300 --jobs 1 --quiet
    cmp -s "$here/nights/one/nights.csv" "$here/nights/$n/nights.csv" || fail "$n ranks rehearse other nights"
done

mpirun $root --oversubscribe -np 2 "$many" run "$here/nowhere" --out "$here/x" --quiet 2> "$here/said" && fail "no study, no error"
grep -q 'cannot read .*study.yaml' "$here/said" || fail "an error of all ranks is not said"

# Rank 1 of the job that "$@" starts is killed while it works.
kill_rank() {
    mpirun $root --oversubscribe -np 2 "$many" "$@" > "$here/said" 2>&1 &
    job=$! victim=""
    for _ in $(seq 200); do
        for p in $(pgrep -P "$job" || true); do
            if tr '\0' '\n' < "/proc/$p/environ" 2> /dev/null | grep -qx OMPI_COMM_WORLD_RANK=1; then victim=$p; fi
        done
        [ -z "$victim" ] || break
        sleep 0.02
    done
    [ -n "$victim" ] || fail "rank 1 was not found"
    kill -9 "$victim"
    status=0
    wait "$job" || status=$?
    [ "$status" != 0 ] || fail "a rank was killed, and the job ends with 0"
    grep -q 'signal 9' "$here/said" || fail "nobody says that a rank was killed"
}

kill_rank run specs/ifsw --out "$here/killed" --quiet
[ ! -e "$here/killed/ifsw/latest" ] || fail "something was published although a rank was killed"
kill_rank rehearse "$here/dealt" --out "$here/nights/one" --nights 500 --quiet
cmp -s "$here/nights/one/nights.csv" "$here/nights/3/nights.csv" || fail "a table was written although a rank was killed"
"$one" run specs/wvs --out "$here/killed" --quiet --only poverty --lang en || fail "the next run does not go on"
echo "ranks: the same bytes with 1, 2 and 3 ranks, replicates, completed data sets and made-up nights dealt out; nothing published when one was killed"
