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

// maxAnswer bounds what an agent answers to one request. Its lines have at most
// 1000 bytes (libassuan's ASSUAN_LINELENGTH).
const (
	maxAnswer = 1 << 16
	maxLine   = 1002
)

// assuan speaks the protocol of GnuPG's servers, as a client.
type assuan struct {
	conn net.Conn
	in   *bufio.Reader
	stop func() bool
}

// dialAssuan connects; the caller closes. When ctx ends, so does the connection.
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

// ask sends a request and gives the data of the answer. inquire answers what the
// server asks for in between; nil: nothing.
func (a *assuan) ask(inquire func(what string) ([]byte, error), format string, args ...any) ([]byte, error) {
	line := fmt.Sprintf(format, args...)
	if strings.ContainsAny(line, "\r\n") || len(line) > maxLine-2 {
		return nil, errors.New("a request to the agent does not fit on a line")
	}
	if _, err := a.conn.Write([]byte(line + "\n")); err != nil {
		return nil, err
	}
	return a.answer(inquire)
}

// answer reads up to the line that ends an answer.
func (a *assuan) answer(inquire func(string) ([]byte, error)) ([]byte, error) {
	var data []byte
	var refused error
	for {
		line, err := a.in.ReadSlice('\n')
		if err != nil {
			return nil, fmt.Errorf("the agent broke off: %w", err)
		}
		word, rest, _ := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte(" "))
		switch string(word) {
		case "OK":
			return data, refused
		case "ERR":
			return nil, cmp.Or(refused, agentError(string(rest)))
		case "D":
			if data = append(data, unescape(rest)...); len(data) > maxAnswer {
				return nil, errors.New("the agent answers without end")
			}
		case "INQUIRE":
			refused = cmp.Or(refused, a.supply(inquire, string(rest)))
		case "S", "#":
		default:
			return nil, fmt.Errorf("the agent answers %q", word)
		}
	}
}

// supply answers a question of the server, or cancels what it is about.
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

// unescape undoes %XX; what is no escape stays.
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

// Codes of libgpg-error that mean something here; the lower 16 bits of what an
// agent answers.
const (
	gpgBadPassphrase = 11
	gpgNoSecretKey   = 17
	gpgBadPIN        = 87
)

// agentError is the error of an ERR line: a number and words.
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
		return ErrNotHeld
	}
	return fmt.Errorf("%w: %s", ErrRefused, words)
}
