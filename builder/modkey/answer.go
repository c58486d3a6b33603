package modkey

import (
	"encoding/base64"
	"fmt"
	"strings"
	"sync/atomic"
)

// Server answers the requests of the stand-ins in the container: for the public
// key, and for signatures, which come from a key or from a table. It is safe for
// concurrent use.
type Server struct {
	key     *Key
	table   *Table
	epoch   int64
	asked   atomic.Int64
	refused atomic.Pointer[KindError]
}

// WithKey returns a server that signs with a key, at the time of an epoch, and
// keeps what it signed in a table.
func WithKey(k Key, epoch int64) *Server {
	return &Server{key: &k, table: newTable(k.Public), epoch: epoch}
}

// WithTable returns a server that has the signatures of an earlier build and no
// key.
func WithTable(t *Table) *Server { return &Server{table: t} }

// Table returns the signatures that were made, or those of WithTable.
func (s *Server) Table() *Table { return s.table }

// Asked returns the number of signatures that were asked for.
func (s *Server) Asked() int64 { return s.asked.Load() }

// Refused returns a *KindError if a key of the other kind was asked for, or nil.
func (s *Server) Refused() error {
	if e := s.refused.Load(); e != nil {
		return e
	}
	return nil
}

// KindError reports that the kernel's build wants a key of another kind.
type KindError struct{ Want, Got Kind }

func (e *KindError) Error() string {
	names := map[Kind]string{OpenPGP: "with gpg", X509: "by X.509"}
	return fmt.Sprintf("this kernel signs its modules %s, and the module key is one for kernels that sign %s", names[e.Want], names[e.Got])
}

// kinds are the known requests and the kind of key that each is for.
var kinds = map[string]Kind{"public": OpenPGP, "sign": OpenPGP, "certificate": X509, "rsa": X509, "cms": X509}

// Answer returns the reply to one line of a stand-in, both without a line end. A
// line is NUMBER REQUEST, a reply is NUMBER ok BASE64 or NUMBER error TEXT, and the
// number is that of the asking process. The requests are:
//
//	public          the public key, as OpenPGP packets
//	sign SHA1       the signature packet of a digest that Digest made
//	certificate     the certificate, as DER
//	rsa DIGESTINFO  the signature of a DigestInfo in hexadecimal
//	cms HASH SUM    the signature of a digest by the hash of that name, as CMS
func (s *Server) Answer(line string) string {
	number, request, _ := strings.Cut(line, " ")
	what, rest, _ := strings.Cut(request, " ")
	data, err := s.answer(what, rest)
	if err != nil {
		return number + " error " + err.Error()
	}
	return number + " ok " + base64.StdEncoding.EncodeToString(data)
}

func (s *Server) answer(what, rest string) ([]byte, error) {
	public := s.table.Public
	kind, known := kinds[what]
	if !known {
		return nil, fmt.Errorf("request %q, want public, sign, certificate, rsa or cms", what)
	}
	if kind != public.Kind {
		err := &KindError{kind, public.Kind}
		s.refused.Store(err)
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
		return s.sign(digest)
	case "cms":
		signature, err := s.sign(rest)
		if err != nil {
			return nil, err
		}
		return cms(public.certificate, rest, signature)
	}
	return s.sign(rest)
}

func (s *Server) sign(digest string) ([]byte, error) {
	s.asked.Add(1)
	if signature, ok := s.table.find(digest); ok {
		return signature, nil
	}
	if s.key == nil {
		return nil, fmt.Errorf("no signature of %s was recorded: the module differs from that of the recorded build", digest)
	}
	signature, err := s.key.sign(digest, s.epoch)
	if err != nil {
		return nil, fmt.Errorf("digest %q: %w", digest, err)
	}
	s.table.add(digest, signature)
	return signature, nil
}
