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

// Command is a signer that runs a command with sh: the digest, 32 bytes, comes
// on its standard input; it answers on standard output with the signature as
// bytes (RSA, PKCS #1 v1.5). What it says on standard error is quoted when it
// fails. "openssl pkeyutl -sign -inkey FILE -pkeyopt digest:sha256" is one.
func Command(line string) Signer { return command{line} }

func (c command) Sign(ctx context.Context, digest [sha256.Size]byte) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "sh", "-c", c.line)
	var out, complaint bounded
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(digest[:]), &out, &complaint
	cmd.WaitDelay = 5 * time.Second // a child that keeps the output open
	err := cmd.Run()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("running the signing command: %w%s", err, quote(complaint.String()))
	}
	if out.Len() == 0 {
		return nil, errors.New("running the signing command: it answered nothing")
	}
	return out.Bytes(), nil
}

// quote is the last line of what a program said, behind a colon.
func quote(said string) string {
	lines := strings.Split(strings.TrimSpace(said), "\n")
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
