package modkey

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
)

// tableForm is the form of a table's file.
const tableForm = "namibuild module signatures 1"

// MaxTable is how big a table's file may be, in bytes. A kernel has 2,500 modules
// and twice as many with its debug variant, at 160 or 770 bytes each.
const MaxTable = 16 << 20

// Table is what stands in for a key: its public half and the signatures that it
// made, by digest. It is safe for concurrent use.
type Table struct {
	Public Public
	mu     sync.Mutex
	signed map[string][]byte
}

// NewTable is an empty table of a key.
func NewTable(p Public) *Table {
	return &Table{Public: p, signed: map[string][]byte{}}
}

// tablePage is a table as JSON. Without a kind it is of an OpenPGP key: packets
// by SHA-1. Of a certificate's it has the numbers of PKCS #1 by "HASH SUM". All
// bytes are in base64, all digests in hexadecimal.
type tablePage struct {
	Form        string            `json:"form"`
	Kind        Kind              `json:"kind,omitempty"`
	Fingerprint string            `json:"fingerprint"`
	PublicKey   []byte            `json:"publicKey"`
	Signatures  map[string][]byte `json:"signatures"`
}

// Write gives the table's file: the same bytes for the same signatures.
func (t *Table) Write() ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	page := tablePage{tableForm, t.Public.Kind, t.Public.Fingerprint, t.Public.Bytes, t.signed}
	if page.Kind == OpenPGP {
		page.Kind = ""
	}
	data, err := json.MarshalIndent(page, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing the module signatures: %w", err)
	}
	return append(data, '\n'), nil
}

// ParseTable reads a table's file.
func ParseTable(data []byte) (*Table, error) {
	t, err := parseTable(data)
	if err != nil {
		return nil, fmt.Errorf("reading the module signatures: %w", err)
	}
	return t, nil
}

func parseTable(data []byte) (*Table, error) {
	if len(data) > MaxTable {
		return nil, fmt.Errorf("more than %d bytes", MaxTable)
	}
	var page tablePage
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&page); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("something stands behind its end")
	}
	if page.Form != tableForm {
		return nil, fmt.Errorf("its form is %q, want %q", page.Form, tableForm)
	}
	public, err := ParsePublic(cmp.Or(page.Kind, OpenPGP), page.PublicKey)
	if err == nil && public.Fingerprint != page.Fingerprint {
		err = fmt.Errorf("the key in it is %s, and it says %q", public.Fingerprint, page.Fingerprint)
	}
	if err != nil {
		return nil, err
	}
	t := NewTable(public)
	for digest, signature := range page.Signatures {
		if err := public.check(digest, signature); err != nil {
			return nil, fmt.Errorf("signature of %q: %w", digest, err)
		}
		t.signed[digest] = signature
	}
	return t, nil
}

// Len is how many signatures are in it.
func (t *Table) Len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.signed)
}

func (t *Table) add(digest string, signature []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.signed[digest] = signature
}

func (t *Table) of(digest string) ([]byte, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	signature, ok := t.signed[digest]
	return signature, ok
}
