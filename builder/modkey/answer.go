package modkey

import (
	"encoding/base64"
	"fmt"
	"strings"
	"sync/atomic"
)

// Desk answers what the stand-ins ask for: the public key, and signatures from a
// key or from a table. It is safe for concurrent use.
type Desk struct {
	key     *Key
	table   *Table
	epoch   int64
	asked   atomic.Int64
	refused atomic.Pointer[KindError]
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

// Refused is a *KindError if a key of the other kind was asked for.
func (d *Desk) Refused() error {
	if e := d.refused.Load(); e != nil {
		return e
	}
	return nil
}

// KindError says that the kernel's build wants a key of another kind.
type KindError struct{ Want, Got Kind }

func (e *KindError) Error() string {
	names := map[Kind]string{OpenPGP: "with gpg", X509: "by X.509"}
	return fmt.Sprintf("this kernel signs its modules %s, and the module key is one for kernels that sign %s", names[e.Want], names[e.Got])
}

// wants are the questions that there are, and the kind of key that each is for.
var wants = map[string]Kind{"public": OpenPGP, "sign": OpenPGP, "certificate": X509, "rsa": X509, "cms": X509}

// Answer is the reply to one line of a stand-in, without the line's end. A line
// is NUMBER QUESTION, a reply NUMBER ok BASE64 or NUMBER error TEXT; the number
// is the asking process's. The questions:
//
//	public          the public key, as OpenPGP packets
//	sign SHA1       the packet of a signature; the digest is Digest's
//	certificate     the certificate, as DER
//	rsa DIGESTINFO  the signature of what is hexadecimal here
//	cms HASH SUM    the signature of a digest by the hash of that name, as CMS
func (d *Desk) Answer(line string) string {
	number, request, _ := strings.Cut(line, " ")
	what, rest, _ := strings.Cut(request, " ")
	data, err := d.answer(what, rest)
	if err != nil {
		return number + " error " + err.Error()
	}
	return number + " ok " + base64.StdEncoding.EncodeToString(data)
}

func (d *Desk) answer(what, rest string) ([]byte, error) {
	public := d.table.Public
	kind, known := wants[what]
	if !known {
		return nil, fmt.Errorf("%q was asked for, want public, sign, certificate, rsa or cms", what)
	}
	if kind != public.Kind {
		err := &KindError{kind, public.Kind}
		d.refused.Store(err)
		return nil, err
	}
	switch what {
	case "public", "certificate":
		return public.Bytes, nil
	case "rsa":
		digest, err := fromDigestInfo(rest)
		if err != nil {
			return nil, fmt.Errorf("signing %q: %w", rest, err)
		}
		return d.sign(digest)
	case "cms":
		signature, err := d.sign(rest)
		if err != nil {
			return nil, err
		}
		return cms(public.certificate, rest, signature)
	}
	return d.sign(rest)
}

func (d *Desk) sign(digest string) ([]byte, error) {
	d.asked.Add(1)
	if signature, ok := d.table.of(digest); ok {
		return signature, nil
	}
	if d.key == nil {
		return nil, fmt.Errorf("no signature of %s was recorded: the module is not the one of the recorded build", digest)
	}
	signature, err := d.key.sign(digest, d.epoch)
	if err != nil {
		return nil, fmt.Errorf("digest %q: %w", digest, err)
	}
	d.table.add(digest, signature)
	return signature, nil
}
