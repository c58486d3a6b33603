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
	// appended: PKCS#7 or the older form of 3.7 behind the ELF file, which the
	// kernel itself judges.
	appended
	// noted: an OpenPGP signature in the section module.sig. EL6's kernel judges
	// it itself; where the kernel does not know it, checkNote does.
	noted
)

// appendedMark ends a module that has its signature behind it
// (include/linux/module_signature.h).
const appendedMark = "~Module signature appended~\n"

// noteName is EL6's section for a signature.
const noteName = "module.sig"

// signing finds out how a module is signed.
func (m Module) signing() signing {
	if bytes.HasSuffix(m.Data, []byte(appendedMark)) {
		return appended
	}
	f, err := elf.NewFile(bytes.NewReader(m.Data))
	if err == nil && f.Section(noteName) != nil {
		return noted
	}
	return unsigned
}

// checkNote judges the OpenPGP signature in a module's section module.sig by the
// keys of a keyring and names the key. The signed bytes are the module as it is
// without that section.
func (m Module) checkNote(keyring []byte) (key string, err error) {
	if len(keyring) == 0 {
		return "", errors.New("no package has the public key (crypto/signature/key.h)")
	}
	plain, note, err := cutSection(m.Data, noteName)
	if err != nil {
		return "", err
	}
	p, err := packet.Read(bytes.NewReader(note))
	if err != nil {
		return "", fmt.Errorf("its signature cannot be read: %w", err)
	}
	sig, ok := p.(*packet.Signature)
	if !ok || !sig.Hash.Available() {
		return "", errors.New("its signature is no OpenPGP signature with a hash that is known")
	}
	for r := packet.NewReader(bytes.NewReader(keyring)); ; {
		p, err := r.Next()
		if errors.Is(err, io.EOF) {
			return "", errors.New("its signature is not by the key of kernel-devel")
		}
		if err != nil {
			return "", fmt.Errorf("the public key cannot be read: %w", err)
		}
		if public, ok := p.(*packet.PublicKey); ok && sig.IssuerKeyId != nil && public.KeyId == *sig.IssuerKeyId {
			h := sig.Hash.New()
			h.Write(plain)
			if err := public.VerifySignature(h, sig); err != nil {
				return "", fmt.Errorf("its signature is bad: %w", err)
			}
			return public.KeyIdString(), nil
		}
	}
}

// hexByte is a byte of a C array.
var hexByte = regexp.MustCompile(`\b0x([0-9a-fA-F]{1,2})\b`)

// bytesOf are the bytes of the one array in a C header.
func bytesOf(header []byte) []byte {
	var data []byte
	for _, m := range hexByte.FindAllSubmatch(header, -1) {
		n, _ := strconv.ParseUint(string(m[1]), 16, 8)
		data = append(data, byte(n))
	}
	return data
}
