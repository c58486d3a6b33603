package modkey

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"sync"
)

// tableForm is the form of a table's file.
const tableForm = "namibuild module signatures 1"

// MaxTable is how big a table's file may be, in bytes. A kernel has 2,500 modules
// and twice as many with its debug variant, at 160 bytes each.
const MaxTable = 16 << 20

// Table is what stands in for a key: its public half and the signatures that it
// made, by digest. It is safe for concurrent use.
type Table struct {
	Public Public
	mu     sync.Mutex
	signed map[[sha1.Size]byte][]byte
}

// NewTable is an empty table of a key.
func NewTable(p Public) *Table {
	return &Table{Public: p, signed: map[[sha1.Size]byte][]byte{}}
}

// tablePage is a table as JSON: OpenPGP packets in base64 by digest in hexadecimal.
type tablePage struct {
	Form        string            `json:"form"`
	Fingerprint string            `json:"fingerprint"`
	PublicKey   []byte            `json:"publicKey"`
	Signatures  map[string][]byte `json:"signatures"`
}

// Write gives the table's file: the same bytes for the same signatures.
func (t *Table) Write() ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	page := tablePage{tableForm, t.Public.Fingerprint, t.Public.Packets, map[string][]byte{}}
	for digest, packet := range t.signed {
		page.Signatures[hex.EncodeToString(digest[:])] = packet
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
	public, err := ParsePublic(page.PublicKey)
	if err == nil && public.Fingerprint != page.Fingerprint {
		err = fmt.Errorf("the key in it is %s, and it says %q", public.Fingerprint, page.Fingerprint)
	}
	if err != nil {
		return nil, err
	}
	t := NewTable(public)
	for text, packet := range maps.All(page.Signatures) {
		digest, err := parseDigest(text)
		if err == nil {
			err = checkSignature(packet, digest)
		}
		if err != nil {
			return nil, fmt.Errorf("signature of %q: %w", text, err)
		}
		t.signed[digest] = packet
	}
	return t, nil
}

func parseDigest(text string) (digest [sha1.Size]byte, err error) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != sha1.Size || hex.EncodeToString(b) != text {
		return digest, errors.New("want 40 lower-case hexadecimal digits")
	}
	return [sha1.Size]byte(b), nil
}

// Len is how many signatures are in it.
func (t *Table) Len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.signed)
}

func (t *Table) add(digest [sha1.Size]byte, packet []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.signed[digest] = packet
}

func (t *Table) of(digest [sha1.Size]byte) ([]byte, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	packet, ok := t.signed[digest]
	return packet, ok
}
