package modkey

import (
	"encoding/base64"
	"fmt"
	"strings"
	"sync/atomic"
)

// Desk answers what the stand-in for gpg asks for: the public key, and signatures
// from a key or from a table. It is safe for concurrent use.
type Desk struct {
	key   *Key
	table *Table
	epoch int64
	asked atomic.Int64
}

// WithKey is a desk that signs, at one moment, and notes in a table what it signed.
func WithKey(k Key, epoch int64) *Desk {
	return &Desk{key: &k, table: NewTable(k.Public), epoch: epoch}
}

// WithTable is a desk that has the signatures of an earlier build.
func WithTable(t *Table) *Desk { return &Desk{table: t} }

// Table has the signatures that were made, or those that were given.
func (d *Desk) Table() *Table { return d.table }

// Asked is how many signatures were asked for.
func (d *Desk) Asked() int64 { return d.asked.Load() }

// Answer is the reply to one line of the stand-in, without the line's end. A
// line is NUMBER public or NUMBER sign SHA1, a reply NUMBER ok BASE64 or
// NUMBER error TEXT; the number is the asking process's.
func (d *Desk) Answer(line string) string {
	number, request, _ := strings.Cut(line, " ")
	what, rest, _ := strings.Cut(request, " ")
	switch what {
	case "public":
		return reply(number, d.table.Public.Packets, nil)
	case "sign":
		packet, err := d.sign(rest)
		return reply(number, packet, err)
	}
	return reply(number, nil, fmt.Errorf("%q was asked for, want public or sign", what))
}

func reply(number string, packet []byte, err error) string {
	if err != nil {
		return number + " error " + err.Error()
	}
	return number + " ok " + base64.StdEncoding.EncodeToString(packet)
}

func (d *Desk) sign(text string) ([]byte, error) {
	d.asked.Add(1)
	digest, err := parseDigest(text)
	if err != nil {
		return nil, fmt.Errorf("digest %q: %w", text, err)
	}
	if packet, ok := d.table.of(digest); ok {
		return packet, nil
	}
	if d.key == nil {
		return nil, fmt.Errorf("no signature of %s was recorded: the module is not the one of the recorded build", text)
	}
	packet := d.key.Sign(digest, d.epoch)
	d.table.add(digest, packet)
	return packet, nil
}
