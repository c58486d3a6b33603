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

// tableForm is the name of the form of a table's file.
const tableForm = "namibuild module signatures 1"

// MaxTable is the largest file of a table, in bytes. A kernel has 2,500 modules, and
// twice as many with its debug variant; a signature takes 160 or 770 bytes.
const MaxTable = 16 << 20

// Table is a key's public half and the signatures that the key made, by digest. It
// replaces the key in a build of the same modules. It is safe for concurrent use.
type Table struct {
	Public Public
	mu     sync.Mutex
	signed map[string][]byte
}

// newTable returns an empty table of a key.
func newTable(p Public) *Table {
	return &Table{Public: p, signed: map[string][]byte{}}
}

// tableFile is a table as JSON. Without a kind it is that of an OpenPGP key and has
// packets by SHA-1. That of a certificate has the numbers of PKCS #1 by "HASH SUM".
// All bytes are in base64, all digests in hexadecimal.
type tableFile struct {
	Form        string            `json:"form"`
	Kind        Kind              `json:"kind,omitempty"`
	Fingerprint string            `json:"fingerprint"`
	PublicKey   []byte            `json:"publicKey"`
	Signatures  map[string][]byte `json:"signatures"`
}

// Write returns the table's file. Equal signatures give equal bytes.
func (t *Table) Write() ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	file := tableFile{tableForm, t.Public.Kind, t.Public.Fingerprint, t.Public.Bytes, t.signed}
	if file.Kind == OpenPGP {
		file.Kind = ""
	}
	data, err := json.MarshalIndent(file, "", "  ")
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
	var file tableFile
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&file); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("more data follows the table")
	}
	if file.Form != tableForm {
		return nil, fmt.Errorf("form %q, want %q", file.Form, tableForm)
	}
	public, err := parsePublic(cmp.Or(file.Kind, OpenPGP), file.PublicKey)
	if err == nil && public.Fingerprint != file.Fingerprint {
		err = fmt.Errorf("the key is %s, want fingerprint %q", public.Fingerprint, file.Fingerprint)
	}
	if err != nil {
		return nil, err
	}
	t := newTable(public)
	for digest, signature := range file.Signatures {
		if err := public.check(digest, signature); err != nil {
			return nil, fmt.Errorf("signature of %q: %w", digest, err)
		}
		t.signed[digest] = signature
	}
	return t, nil
}

// Len returns the number of signatures.
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

// find returns the signature of a digest.
func (t *Table) find(digest string) ([]byte, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	signature, ok := t.signed[digest]
	return signature, ok
}
