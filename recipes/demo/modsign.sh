#!/bin/sh
# modsign.sh KEYS MODULE signs one kernel module: a detached OpenPGP signature goes into its ELF section module.sig.
# KEYS is the directory with kernel.pub and kernel.sec. The section has 1024 bytes, zeros behind the signature. The signed
# bytes are the module with 1024 zeros in that section; that is checked at once, with the public key alone.
set -eu
keys=$1
module=$2

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

key() {
    gpg --homedir "$keys" --batch --quiet --no-greeting --no-permission-warning --no-default-keyring --trust-model always \
        --keyring "$keys/kernel.pub" "$@"
}

head -c 1024 /dev/zero >"$work/zeros"
objcopy --add-section "module.sig=$work/zeros" "$module" "$work/plain"
key --secret-keyring "$keys/kernel.sec" --output "$work/sig" --detach-sign "$work/plain"
cat "$work/sig" "$work/zeros" | head -c 1024 >"$work/section"
objcopy --update-section "module.sig=$work/section" "$work/plain" "$work/signed"

objcopy --dump-section "module.sig=$work/section.out" "$work/signed" "$work/unused"
head -c "$(wc -c <"$work/sig")" "$work/section.out" >"$work/sig.out"
objcopy --update-section "module.sig=$work/zeros" "$work/signed" "$work/plain.out"
if ! key --verify "$work/sig.out" "$work/plain.out" 2>"$work/log"; then
    cat "$work/log" >&2
    echo "modsign.sh: $module: the signature does not verify" >&2
    exit 1
fi
cat "$work/signed" >"$module"
