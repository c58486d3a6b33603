package release

import (
	"bytes"
	"fmt"

	"namibuild/builder/event"
	"namibuild/builder/set"
)

// sums checks SHA256SUMS: its signature, every file that it lists, and that there are no
// other files.
func (v *verifying) sums() {
	page, err := v.read(set.SumsFile)
	if v.optional(err) {
		return
	}
	if err == nil {
		err = v.signedSums(page)
	}
	if err == nil {
		err = set.CompareSums(v.place.Dir, page, v.known)
	}
	v.found("files", err, "%s as %s says, signed", event.Count(bytes.Count(page, []byte("\n")), "file"), set.SumsFile)
}

// signedSums checks the signature of SHA256SUMS.
func (v *verifying) signedSums(page []byte) error {
	if v.Certificate == nil {
		return fmt.Errorf("%s: there is no key to check it with", set.SumsFile)
	}
	signature, err := v.read(set.SumsFile + set.SignatureEnd)
	if err != nil {
		return err
	}
	if err := v.Certificate.VerifyDetached(bytes.NewReader(page), signature); err != nil {
		return fmt.Errorf("%s: %w", set.SumsFile, err)
	}
	return nil
}
