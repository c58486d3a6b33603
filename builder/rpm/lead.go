package rpm

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

const (
	leadSize = 96
	// leadSignature is the mark of a signature header after the lead
	// (RPMSIGTYPE_HEADERSIG).
	leadSignature = 5
)

var leadMagic = []byte{0xed, 0xab, 0xee, 0xdb}

// Lead is the first 96 bytes of a package. Only file(1) still reads it; all other
// programs go by the header.
type Lead [leadSize]byte

// MakeLead makes a lead of format 3.0 for Linux. The name is cut to 65 bytes. arch is
// rpm's number of the architecture; 1 is x86.
func MakeLead(name string, source bool, arch uint16) Lead {
	var l Lead
	copy(l[:], leadMagic)
	l[4] = 3
	if source {
		l[7] = 1
	}
	binary.BigEndian.PutUint16(l[8:], arch)
	copy(l[10:75], name)
	l[77] = 1
	l[79] = leadSignature
	return l
}

// Name returns the lead's text, which is the package's name, version and release.
func (l Lead) Name() string {
	name, _, _ := bytes.Cut(l[10:76], []byte{0})
	return string(name)
}

// IsSource reports whether the lead is that of an SRPM.
func (l Lead) IsSource() bool { return binary.BigEndian.Uint16(l[6:]) == 1 }

func (l Lead) check() error {
	if !bytes.Equal(l[:4], leadMagic) {
		return fmt.Errorf("not an RPM: magic got %x, want %x", l[:4], leadMagic)
	}
	if l[4] != 3 && l[4] != 4 {
		return fmt.Errorf("format %d.%d is not supported", l[4], l[5])
	}
	if typ := binary.BigEndian.Uint16(l[78:]); typ != leadSignature {
		return fmt.Errorf("signature type got %d, want %d", typ, leadSignature)
	}
	return nil
}
