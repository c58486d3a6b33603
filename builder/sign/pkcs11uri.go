package sign

import (
	"errors"
	"fmt"

	pkcs11uri "github.com/stefanberger/go-pkcs11uri"
)

// place is where a PKCS #11 key is.
type place struct {
	module              string
	token, serial, slot string
	object, id          []byte
}

// parseURI reads a PKCS #11 URI (RFC 7512).
func parseURI(text string) (place, error) {
	u := pkcs11uri.New()
	if err := u.Parse(text); err != nil {
		return place{}, err
	}
	path := func(name string) string { v, _ := u.GetPathAttribute(name, false); return v }
	at := place{token: path("token"), serial: path("serial"), slot: path("slot-id"), object: []byte(path("object")), id: []byte(path("id"))}
	module, ok := u.GetQueryAttribute("module-path", false)
	at.module = module
	_, value := u.GetQueryAttribute("pin-value", false)
	_, source := u.GetQueryAttribute("pin-source", false)
	switch {
	case value || source:
		return place{}, errors.New("the URI holds a PIN, which others could see, want it as a passphrase")
	case !ok || module == "":
		return place{}, errors.New("the URI names no module: ?module-path=/usr/lib/…/module.so is missing")
	case count(at.token, at.serial, at.slot) != 1:
		return place{}, fmt.Errorf("the URI names %d tokens, want one: token=, serial= or slot-id=", count(at.token, at.serial, at.slot))
	case len(at.object)+len(at.id) == 0:
		return place{}, errors.New("the URI names no key: object= or id= is missing")
	}
	return at, nil
}

// count returns how many of the texts are not empty.
func count(texts ...string) int {
	n := 0
	for _, t := range texts {
		if t != "" {
			n++
		}
	}
	return n
}
