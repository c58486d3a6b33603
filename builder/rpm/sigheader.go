package rpm

import (
	"errors"
	"fmt"

	"namibuild/builder/pgp"
)

// form is the type and the number of elements that a value of the signature
// header must have. Count 0 allows any number.
type form struct {
	typ   Type
	count int
}

var signatureForms = map[Tag]form{
	SigTagDSA:             {TypeBinary, 0},
	SigTagRSA:             {TypeBinary, 0},
	SigTagSHA1:            {TypeString, 1},
	SigTagLongSize:        {TypeInt64, 1},
	SigTagLongPayloadSize: {TypeInt64, 1},
	SigTagSHA256:          {TypeString, 1},
	SigTagFileSignatures:  {TypeStringArray, 0},
	SigTagFileSigLength:   {TypeInt32, 1},
	SigTagVeritySigs:      {TypeStringArray, 0},
	SigTagVerityAlgo:      {TypeInt32, 1},
	SigTagOpenPGP:         {TypeStringArray, 0},
	SigTagReserved:        {TypeBinary, 0},
	SigTagSize:            {TypeInt32, 1},
	SigTagPGP:             {TypeBinary, 0},
	SigTagMD5:             {TypeBinary, 16},
	SigTagGPG:             {TypeBinary, 0},
	SigTagPayloadSize:     {TypeInt32, 1},
	SigTagReservedSpace:   {TypeBinary, 0},
}

// checkSignatureHeader reports an error unless the signature header is one that
// rpm writes. No digest covers this header, and a damaged tag number would
// quietly take a digest out of the package. Therefore unknown tags and gaps are
// errors.
func checkSignatureHeader(h *Header) error {
	var last entry
	for _, e := range h.entries {
		if e.tag == RegionSignatures {
			continue
		}
		if err := checkSignatureValue(h, e); err != nil {
			return fmt.Errorf("tag %d: %w", e.tag, err)
		}
		if e.tag < last.tag {
			return fmt.Errorf("tag %d follows tag %d", e.tag, last.tag)
		}
		if err := checkGap(h, last.end, e.offset, e.typ.width()); err != nil {
			return fmt.Errorf("tag %d: %w", e.tag, err)
		}
		last = e
	}
	end := len(h.data())
	if h.Has(RegionSignatures) {
		end -= entrySize
	}
	return checkGap(h, last.end, end, 1)
}

// checkGap allows nothing between two values but the zeros that align the second.
func checkGap(h *Header, from, to, width int) error {
	if to-from < 0 || to-from >= max(width, 1) || !allZero(h.data()[from:to]) {
		return fmt.Errorf("%d stray bytes before it", to-from)
	}
	return nil
}

func checkSignatureValue(h *Header, e entry) error {
	want, ok := signatureForms[e.tag]
	switch {
	case !ok:
		return errors.New("unknown")
	case e.typ != want.typ || want.count != 0 && e.count != want.count:
		return fmt.Errorf("type %d, count %d, want %d, %d", e.typ, e.count, want.typ, want.count)
	}
	switch e.tag {
	case SigTagSHA1:
		if s := h.String(e.tag); !isHex(s, 20) {
			return fmt.Errorf("%q is not a sha1", s)
		}
	case SigTagSHA256:
		if s := h.String(e.tag); !isHex(s, 32) {
			return fmt.Errorf("%q is not a sha256", s)
		}
	case SigTagReserved, SigTagReservedSpace:
		if !allZero(h.value(e)) {
			return errors.New("reserved space is not empty")
		}
	case SigTagDSA, SigTagRSA, SigTagPGP, SigTagGPG:
		_, err := pgp.ParseSignature(h.value(e))
		return err
	}
	return nil
}
