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

"$one" run specs/wvs --out "$here/one" --quiet
for n in 1 2 3; do
    mpirun $root --oversubscribe -np "$n" "$many" run specs/wvs --out "$here/$n" --quiet
    "$one" diff "$here/one/wvs/latest" "$here/$n/wvs/latest" > /dev/null || fail "$n ranks give other results"
    for file in $(cd "$here/one/wvs/latest/" && find . -type f ! -name manifest.json ! -name run.log); do
        cmp -s "$here/one/wvs/latest/$file" "$here/$n/wvs/latest/$file" || fail "$n ranks give another $file"
    done
done
mpirun $root --oversubscribe -np 2 "$many" run "$here/nowhere" --out "$here/x" --quiet 2> "$here/said" && fail "no study, no error"
grep -q 'cannot read .*study.yaml' "$here/said" || fail "an error of all ranks is not said"

# Rank 1 is killed while the night goes on.
mpirun $root --oversubscribe -np 2 "$many" run specs/ifsw --out "$here/killed" --quiet > "$here/said" 2>&1 &
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
[ ! -e "$here/killed/ifsw/latest" ] || fail "something was published although a rank was killed"
"$one" run specs/wvs --out "$here/killed" --quiet --only poverty --lang en || fail "the next run does not go on"
echo "ranks: the same bytes with 1, 2 and 3 ranks; nothing published when one was killed"
