package sign

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
)

const (
	// maxAnswer is the largest answer of an agent to one request, in bytes.
	maxAnswer = 1 << 16
	// maxLine is the length of a line with its end (libassuan's
	// ASSUAN_LINELENGTH).
	maxLine = 1002
)

// assuan is a client of the protocol of GnuPG's servers.
type assuan struct {
	conn net.Conn
	in   *bufio.Reader
	stop func() bool
}

// dialAssuan connects to a server. The caller closes the connection, which also
// ends when ctx ends.
func dialAssuan(ctx context.Context, socket string) (*assuan, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, err
	}
	a := &assuan{conn: conn, in: bufio.NewReaderSize(conn, maxLine)}
	a.stop = context.AfterFunc(ctx, func() { conn.Close() })
	if _, err := a.answer(nil); err != nil {
		a.close()
		return nil, err
	}
	return a, nil
}

func (a *assuan) close() {
	a.stop()
	a.conn.Close()
}

// ask sends a request and returns the data of the answer. inquire answers what the
// server asks for before that; if it is nil, such requests are canceled.
func (a *assuan) ask(inquire func(what string) ([]byte, error), format string, args ...any) ([]byte, error) {
	line := fmt.Sprintf(format, args...)
	if strings.ContainsAny(line, "\r\n") || len(line) > maxLine-2 {
		return nil, errors.New("the request to the agent does not fit on a line")
	}
	if _, err := a.conn.Write([]byte(line + "\n")); err != nil {
		return nil, err
	}
	return a.answer(inquire)
}

// answer reads the lines of an answer up to its last.
func (a *assuan) answer(inquire func(string) ([]byte, error)) ([]byte, error) {
	var data []byte
	var refused error
	for {
		line, err := a.in.ReadSlice('\n')
		if err != nil {
			return nil, fmt.Errorf("reading the agent's answer: %w", err)
		}
		word, rest, _ := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte(" "))
		switch string(word) {
		case "OK":
			return data, refused
		case "ERR":
			return nil, cmp.Or(refused, agentError(string(rest)))
		case "D":
			if data = append(data, unescape(rest)...); len(data) > maxAnswer {
				return nil, errors.New("the agent's answer is too long")
			}
		case "INQUIRE":
			refused = cmp.Or(refused, a.supply(inquire, string(rest)))
		case "S", "#":
		default:
			return nil, fmt.Errorf("the agent answers %q, which is unknown", word)
		}
	}
}

// supply answers a question of the server, or cancels the request.
func (a *assuan) supply(inquire func(string) ([]byte, error), what string) error {
	if inquire == nil {
		_, err := a.conn.Write([]byte("CAN\n"))
		return err
	}
	data, err := inquire(what)
	if err != nil {
		_, werr := a.conn.Write([]byte("CAN\n"))
		return errors.Join(err, werr)
	}
	_, err = a.conn.Write([]byte("D " + escape(data) + "\nEND\n"))
	return err
}

func escape(data []byte) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(string(data))
}

// unescape replaces each %XX by its byte.
func unescape(data []byte) []byte {
	out := make([]byte, 0, len(data))
	for i := 0; i < len(data); i++ {
		if data[i] == '%' && i+2 < len(data) {
			if b, err := hex.DecodeString(string(data[i+1 : i+3])); err == nil {
				out, i = append(out, b[0]), i+2
				continue
			}
		}
		out = append(out, data[i])
	}
	return out
}

// Codes of libgpg-error that have errors of their own here. They are the lower 16
// bits of the number that an agent answers.
const (
	gpgBadPassphrase = 11
	gpgNoSecretKey   = 17
	gpgBadPIN        = 87
)

// agentError returns the error of an ERR line, which is a number and words.
func agentError(line string) error {
	number, words, _ := strings.Cut(line, " ")
	n, err := strconv.ParseUint(number, 10, 32)
	if err != nil {
		return fmt.Errorf("the agent answers ERR %q", line)
	}
	switch n & 0xffff {
	case gpgBadPassphrase, gpgBadPIN:
		return ErrPassphrase
	case gpgNoSecretKey:
		return ErrNoKey
	}
	return fmt.Errorf("%w: %s", ErrRefused, words)
}
