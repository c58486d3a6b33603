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
)

// Errors of gpg-agent.
var (
	ErrUnreachable = errors.New("gpg-agent does not answer")
	ErrNotHeld     = errors.New("gpg-agent does not hold this key")
	ErrRefused     = errors.New("gpg-agent says")
)

// Agent reaches a key that gpg-agent holds, on its disk or on a card.
type Agent struct {
	// Socket is the agent's; "gpgconf --list-dirs agent-socket" prints it.
	Socket string
	// Passphrase, if set, answers the agent instead of its pinentry.
	Passphrase Passphrase
	// Options are told to the agent for its pinentry: ttyname=/dev/pts/3.
	Options []string
}

// patience is how long an agent may take to answer what needs no person.
const patience = 20 * time.Second

// Open sees whether the agent holds the key.
func (a Agent) Open(ctx context.Context, c Certificate) (Key, error) {
	s := &agentSigner{a, fmt.Sprintf("%X", keygrip(c)), c.Fingerprint, c.Name}
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := s.dial(limited)
	if err == nil {
		defer conn.close()
		_, err = conn.ask(nil, "HAVEKEY %s", s.grip)
	}
	if err != nil {
		return Key{}, &KeyError{c.Fingerprint, err}
	}
	return NewKey(c, s), nil
}

// keygrip is how the agent names a key: the SHA-1 of the modulus, as a number
// that is not negative (libgcrypt's rsa.c, compute_keygrip).
func keygrip(c Certificate) []byte {
	n := c.public.N.Bytes()
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

// Sign asks the agent, which may ask a person.
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
	why := url.QueryEscape(fmt.Sprintf("namibuild signs packages with the key %s of %.80s", s.fingerprint, s.name))
	for _, line := range []string{"SIGKEY " + s.grip, "SETKEYDESC " + why, fmt.Sprintf("SETHASH --hash=sha256 %X", digest)} {
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

// inquire answers the agent's question for the passphrase.
func (s *agentSigner) inquire(what string) ([]byte, error) {
	if s.Passphrase == nil {
		return nil, fmt.Errorf("the agent asks for %q", what)
	}
	return s.Passphrase()
}

// parseSigVal takes the number out of an RSA signature in libgcrypt's form:
// (7:sig-val(3:rsa(1:s512:…))).
func parseSigVal(b []byte) ([]byte, error) {
	head := []byte("(7:sig-val(3:rsa(1:s")
	rest, ok := bytes.CutPrefix(b, head)
	length, rest, found := bytes.Cut(rest, []byte(":"))
	n, err := strconv.ParseUint(string(length), 10, 16)
	if !ok || !found || err != nil || uint64(len(rest)) < n || !bytes.Equal(rest[n:], []byte(")))")) {
		return nil, errors.New("the agent's answer is no RSA signature")
	}
	return bytes.TrimLeft(rest[:n], "\x00"), nil
}
