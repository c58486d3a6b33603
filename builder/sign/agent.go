package sign

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"namibuild/builder/pgp"
)

// Errors of gpg-agent.
var (
	ErrUnreachable = errors.New("gpg-agent does not answer")
	ErrNoKey       = errors.New("gpg-agent does not have this key")
	ErrRefused     = errors.New("gpg-agent refused")
)

// Agent reaches a key that gpg-agent has, on its disk or on a card.
type Agent struct {
	// Socket is the path that "gpgconf --list-dirs agent-socket" prints.
	Socket string
	// Passphrase, if set, answers the agent. Otherwise its pinentry asks a person.
	Passphrase Passphrase
	// Options are those of the agent's pinentry, such as ttyname=/dev/pts/3.
	Options []string
}

// openTimeout is how long an agent may take to answer Open, which needs no person.
const openTimeout = 20 * time.Second

// Open returns the key of a public key whose private half the agent has. An error
// is a *pgp.KeyError.
func (a Agent) Open(ctx context.Context, public pgp.Key) (Key, error) {
	s := &agentSigner{a, fmt.Sprintf("%X", keygrip(public)), public.Fingerprint, public.Name}
	limited, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	conn, err := s.dial(limited)
	if err == nil {
		defer conn.close()
		_, err = conn.ask(nil, "HAVEKEY %s", s.grip)
	}
	if err != nil {
		return Key{}, &pgp.KeyError{Key: public.Fingerprint, Err: err}
	}
	return NewKey(public, s), nil
}

// keygrip returns the agent's name of a key: the SHA-1 of the modulus, written as
// a number that is not negative (libgcrypt's rsa.c, compute_keygrip).
func keygrip(public pgp.Key) []byte {
	n := public.RSA().N.Bytes()
	if n[0]&0x80 != 0 {
		n = append([]byte{0}, n...)
	}
	sum := sha1.Sum(n)
	return sum[:]
}

type agentSigner struct {
	Agent
	grip, fingerprint, name string
}

func (s *agentSigner) dial(ctx context.Context) (*assuan, error) {
	conn, err := dialAssuan(ctx, s.Socket)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	return conn, nil
}

// Sign asks the agent, which may ask a person for the passphrase.
func (s *agentSigner) Sign(ctx context.Context, digest [sha256.Size]byte) ([]byte, error) {
	conn, err := s.dial(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.close()
	options := s.Options
	if s.Passphrase != nil {
		options = []string{"pinentry-mode=loopback"}
	}
	for _, o := range options {
		if _, err := conn.ask(nil, "OPTION %s", o); err != nil {
			return nil, err
		}
	}
	text := url.QueryEscape(fmt.Sprintf("namibuild signs packages with the key %s of %.80s", s.fingerprint, s.name))
	for _, line := range []string{"SIGKEY " + s.grip, "SETKEYDESC " + text, fmt.Sprintf("SETHASH --hash=sha256 %X", digest)} {
		if _, err := conn.ask(nil, "%s", line); err != nil {
			return nil, err
		}
	}
	answer, err := conn.ask(s.inquire, "PKSIGN")
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, err
	}
	return parseSigVal(answer)
}

// inquire answers the agent when it asks for the passphrase.
func (s *agentSigner) inquire(what string) ([]byte, error) {
	if s.Passphrase == nil {
		return nil, fmt.Errorf("the agent asks for %q", what)
	}
	return s.Passphrase()
}

// parseSigVal returns the number of an RSA signature in libgcrypt's form:
// (7:sig-val(3:rsa(1:s512:…))).
func parseSigVal(b []byte) ([]byte, error) {
	head := []byte("(7:sig-val(3:rsa(1:s")
	rest, ok := bytes.CutPrefix(b, head)
	length, rest, found := bytes.Cut(rest, []byte(":"))
	n, err := strconv.ParseUint(string(length), 10, 16)
	if !ok || !found || err != nil || uint64(len(rest)) < n || !bytes.Equal(rest[n:], []byte(")))")) {
		return nil, errors.New("the agent's answer is not an RSA signature")
	}
	return bytes.TrimLeft(rest[:n], "\x00"), nil
}
