#!/usr/bin/env bash
# git 2.39: in a shallow clone `git merge-base --is-ancestor` denies what it cannot know, without a word.
#
# CI checks out one commit of main and fetches the tag of a release, both with --depth=1. Both commits are there, the
# way between them is not. git takes a commit at which the clone was cut for one without parents, so it ends with 1, "is
# no ancestor", as if the tag had been made elsewhere; a commit that is missing would have been an error, 128. `git
# branch --contains` and `git rev-list --left-right --count` are wrong in the same way. A gate that asks whether the
# tag is on main fails a good release; only `git rev-parse --is-shallow-repository` tells.
#
# Seen: whole: is ancestor 0, contained in main, 0 ahead 1 behind; shallow: is ancestor 1, in nothing, 1 ahead 1 behind.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export GIT_CONFIG_NOSYSTEM=1 HOME="$folder"
git config --global user.name someone
git config --global user.email someone@nox.example
git init -q -b main origin
git -C origin commit -q --allow-empty -m one
git -C origin tag -a v8.0.0 -m 'Release'
git -C origin commit -q --allow-empty -m two
git clone -q "file://$folder/origin" whole
git clone -q --depth=1 "file://$folder/origin" shallow
git -C shallow fetch -q --depth=1 origin refs/tags/v8.0.0:refs/tags/v8.0.0
for clone in whole shallow; do
    status=0
    git -C "$clone" merge-base --is-ancestor v8.0.0 main 2>&1 || status=$?
    in=$(git -C "$clone" branch --format='%(refname:short)' --contains v8.0.0)
    read -r ahead behind < <(git -C "$clone" rev-list --left-right --count v8.0.0...main)
    echo "$clone: is ancestor $status, in ${in:-nothing}, $ahead ahead $behind behind"
done > out.txt
cat out.txt
diff - out.txt <<'SEEN'
whole: is ancestor 0, in main, 0 ahead 1 behind
shallow: is ancestor 1, in nothing, 1 ahead 1 behind
SEEN
