package boot

import (
	"bytes"
	_ "crypto/sha1" // EL6's signing scheme
	_ "crypto/sha256"
	_ "crypto/sha512"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// signing is the way in which a module is signed.
type signing int

const (
	unsigned signing = iota
	// appended is a signature behind the ELF file: PKCS#7, or the older form of
	// Linux 3.7. The kernel itself verifies it.
	appended
	// noted is an OpenPGP signature in an ELF section. EL6's kernel verifies it
	// itself; the demo's kernel does not know it, so verifyNote does.
	noted
)

// appendedMark ends a module that has its signature behind it
// (include/linux/module_signature.h).
const appendedMark = "~Module signature appended~\n"

// The sections that hold a signature: that of EL6's kernel 2.6.32, and that of
// the demo (recipes/demo/modsign.sh).
const (
	el6Section  = ".note.module.sig"
	demoSection = "module.sig"
)

// signing returns how a module is signed.
func (m Module) signing() signing {
	if bytes.HasSuffix(m.Data, []byte(appendedMark)) {
		return appended
	}
	f, err := elf.NewFile(bytes.NewReader(m.Data))
	if err == nil && (f.Section(el6Section) != nil || f.Section(demoSection) != nil) {
		return noted
	}
	return unsigned
}

// verifyNote verifies the signature in a module's section module.sig by the keys
// of a keyring and returns the ID of the key.
func (m Module) verifyNote(keyring []byte) (key string, err error) {
	if len(keyring) == 0 {
		return "", errors.New("no package has the public key (crypto/signature/key.h)")
	}
	signed, note, err := m.splitNote()
	if err != nil {
		return "", err
	}
	r := bytes.NewReader(note)
	p, err := packet.Read(r)
	if err != nil {
		return "", fmt.Errorf("its signature cannot be read: %w", err)
	}
	sig, ok := p.(*packet.Signature)
	if !ok || !sig.Hash.Available() || len(bytes.Trim(note[len(note)-r.Len():], "\x00")) > 0 {
		return "", errors.New("its signature is no OpenPGP signature with a known hash")
	}
	public, err := issuer(keyring, sig)
	if err != nil {
		return "", err
	}
	h := sig.Hash.New()
	h.Write(signed)
	if err := public.VerifySignature(h, sig); err != nil {
		return "", fmt.Errorf("its signature is bad: %w", err)
	}
	return public.KeyIdString(), nil
}

// splitNote returns the bytes that the demo signs, which are the module with zeros
// in the section module.sig, and that section.
func (m Module) splitNote() (signed, note []byte, err error) {
	f, err := elf.NewFile(bytes.NewReader(m.Data))
	if err != nil {
		return nil, nil, err
	}
	s := f.Section(demoSection)
	size := uint64(len(m.Data))
	if s == nil || s.Offset > size || s.FileSize > size-s.Offset {
		return nil, nil, fmt.Errorf("it has no section %s", demoSection)
	}
	signed = bytes.Clone(m.Data)
	clear(signed[s.Offset:][:s.FileSize])
	return signed, m.Data[s.Offset:][:s.FileSize], nil
}

// issuer returns the key of a keyring that a signature names.
func issuer(keyring []byte, sig *packet.Signature) (*packet.PublicKey, error) {
	for r := packet.NewReader(bytes.NewReader(keyring)); ; {
		p, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil, errors.New("its signature is not by the key of kernel-devel")
		}
		if err != nil {
			return nil, fmt.Errorf("reading the public key: %w", err)
		}
		if public, ok := p.(*packet.PublicKey); ok && sig.IssuerKeyId != nil && public.KeyId == *sig.IssuerKeyId {
			return public, nil
		}
	}
}

// hexByte matches a byte of a C array.
var hexByte = regexp.MustCompile(`\b0x([0-9a-fA-F]{1,2})\b`)

// bytesOf returns the bytes of the one array in a C header.
func bytesOf(header []byte) []byte {
	var data []byte
	for _, m := range hexByte.FindAllSubmatch(header, -1) {
		n, _ := strconv.ParseUint(string(m[1]), 16, 8)
		data = append(data, byte(n))
	}
	return data
}
