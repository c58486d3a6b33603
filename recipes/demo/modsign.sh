#!/bin/sh
# modsign.sh KEYS MODULE signs one kernel module: a detached OpenPGP signature goes into its ELF section module.sig.
# KEYS is the directory with kernel.pub and kernel.sec. The signed bytes are those that
# `objcopy --remove-section module.sig` gives back; that is checked at once, with the public key alone.
set -eu
keys=$1
module=$2

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

key() {
    gpg --homedir "$keys" --batch --quiet --no-greeting --no-permission-warning --no-default-keyring --trust-model always \
        --keyring "$keys/kernel.pub" "$@"
}

# objcopy once without a change: what it writes is what it will write again when the section is taken off.
objcopy "$module" "$work/plain"
key --secret-keyring "$keys/kernel.sec" --output "$work/sig" --detach-sign "$work/plain"
objcopy --add-section "module.sig=$work/sig" "$work/plain" "$work/signed"

objcopy --dump-section "module.sig=$work/sig.out" "$work/signed" "$work/unused"
objcopy --remove-section module.sig "$work/signed" "$work/plain.out"
if ! key --verify "$work/sig.out" "$work/plain.out" 2>"$work/log"; then
    cat "$work/log" >&2
    echo "modsign.sh: $module: the signature does not verify" >&2
    exit 1
fi
cat "$work/signed" >"$module"
