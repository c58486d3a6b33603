package sign

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// command signs by running a shell command.
type command struct{ line string }

// Command returns a signer that runs a command with sh. The command gets the
// digest, 32 bytes, on standard input and writes the signature (RSA, PKCS #1 v1.5)
// as bytes to standard output. If it fails, the error quotes the last line of its
// standard error. "openssl pkeyutl -sign -inkey FILE -pkeyopt digest:sha256" is
// such a command.
func Command(line string) Signer { return command{line} }

func (c command) Sign(ctx context.Context, digest [sha256.Size]byte) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "sh", "-c", c.line)
	var out, stderr bounded
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(digest[:]), &out, &stderr
	cmd.WaitDelay = 5 * time.Second // for a child process that keeps the output open
	err := cmd.Run()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("running the signing command: %w%s", err, quote(stderr.String()))
	}
	if out.Len() == 0 {
		return nil, errors.New("running the signing command: it wrote no signature")
	}
	return out.Bytes(), nil
}

// quote returns the last line of a program's output, after a colon.
func quote(output string) string {
	lines := strings.Split(strings.TrimSpace(output), "\n")
	if last := lines[len(lines)-1]; last != "" {
		return ": " + last
	}
	return ""
}

// bounded keeps the first bytes of an output and drops the rest.
type bounded struct{ bytes.Buffer }

func (b *bounded) Write(data []byte) (int, error) {
	const most = 1 << 16
	b.Buffer.Write(data[:min(len(data), max(0, most-b.Len()))])
	return len(data), nil
}
