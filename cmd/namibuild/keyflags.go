package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"namibuild/builder/pgp"
	"namibuild/builder/sign"
)

// keyFlags are the flags that say which key signs and how it is reached. None of them is a
// secret, because others can read the arguments of a process.
type keyFlags struct {
	key         string
	certificate string
	passphrase  string
}

// passphraseVariable is the environment variable that holds a passphrase or PIN.
const passphraseVariable = "NAMIBUILD_PASSPHRASE"

func (f *keyFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.key, "key", envOr("NAMIBUILD_KEY", ""), "sign with `KEY`: a secret key file, agent, pkcs11:URI, command:COMMAND ($NAMIBUILD_KEY)")
	c.Flags().StringVar(&f.certificate, "certificate", envOr("NAMIBUILD_CERTIFICATE", ""), "read the public key of --key from `FILE`, unless --key is a file ($NAMIBUILD_CERTIFICATE)")
	f.addPassphrase(c, "unlock the key")
}

// addPassphrase adds the flag that gives the passphrase. use says what that does.
func (f *keyFlags) addPassphrase(c *cobra.Command, use string) {
	c.Flags().StringVar(&f.passphrase, "passphrase-file", envOr("NAMIBUILD_PASSPHRASE_FILE", ""), use+" with the first line of `FILE` ($NAMIBUILD_PASSPHRASE_FILE); the default is $NAMIBUILD_PASSPHRASE, or else a prompt")
}

// keyHelp is the part of the help texts about keys.
const keyHelp = `--key says where the signing key is:

  FILE              an OpenPGP secret key, armored or not ("namibuild key new" makes one)
  agent             gpg-agent, also for smart cards; agent:SOCKET names its socket
  pkcs11:URI        a token (RFC 7512): pkcs11:token=T;object=K?module-path=/…/module.so
  command:COMMAND   a shell command that reads a SHA-256 digest (32 bytes) from standard
                    input and writes the RSA signature (PKCS #1 v1.5) as bytes

All but FILE need --certificate, the public key. A signer gets only digests. The
passphrase or PIN comes from --passphrase-file, $NAMIBUILD_PASSPHRASE or a prompt.`

// open opens the key and checks that it can sign today. The caller calls the function when
// the key is no longer needed.
func (f *keyFlags) open(ctx context.Context) (sign.Key, func(), error) {
	kind, place, _ := strings.Cut(f.key, ":")
	if f.key == "" {
		return sign.Key{}, nil, usageError{errors.New("no signing key: --key is missing")}
	}
	closeKey := func() {}
	var k sign.Key
	var err error
	switch kind {
	case "agent", "pkcs11", "command":
		var c pgp.Key
		if c, err = f.readCertificate(); err != nil {
			return sign.Key{}, nil, err
		}
		k, closeKey, err = f.remote(ctx, kind, place, c)
	default:
		k, err = sign.OpenFile(f.key, f.asks(ctx, "passphrase for "+f.key))
		if missing(err) && strings.Contains(f.key, ":") {
			err = &pgp.KeyError{Key: f.key, Err: errors.New("no such file; must be the path of a key file, agent, agent:SOCKET, pkcs11:URI or command:COMMAND")}
		}
	}
	if err != nil {
		return sign.Key{}, nil, err
	}
	if err := k.Check(time.Now()); err != nil {
		closeKey()
		return sign.Key{}, nil, err
	}
	return k, closeKey, nil
}

// remote opens a key that is not in a file.
func (f *keyFlags) remote(ctx context.Context, kind, place string, c pgp.Key) (sign.Key, func(), error) {
	if kind == "agent" {
		k, err := f.agent(ctx, place).Open(ctx, c)
		return k, func() {}, err
	}
	s, _, closeSigner, err := f.signer(ctx, kind, place)
	if err != nil {
		return sign.Key{}, nil, err
	}
	return sign.NewKey(c, s), closeSigner, nil
}

// agent returns a client of gpg-agent, which it starts if gpgconf can.
func (f *keyFlags) agent(ctx context.Context, socket string) sign.Agent {
	a := sign.Agent{Socket: socket}
	if socket == "" {
		_ = exec.CommandContext(ctx, "gpgconf", "--launch", "gpg-agent").Run() // if that fails, Open reports that nothing answers
		out, err := exec.CommandContext(ctx, "gpgconf", "--list-dirs", "agent-socket").Output()
		if a.Socket = strings.TrimSpace(string(out)); err != nil || a.Socket == "" {
			a.Socket = envOr("GNUPGHOME", os.ExpandEnv("$HOME/.gnupg")) + "/S.gpg-agent"
		}
	}
	if f.passphrase != "" || os.Getenv(passphraseVariable) != "" {
		a.Passphrase = f.asks(ctx, "")
		return a
	}
	for _, o := range [][2]string{{"ttyname", "GPG_TTY"}, {"ttytype", "TERM"}, {"display", "DISPLAY"}} {
		if value := os.Getenv(o[1]); value != "" {
			a.Options = append(a.Options, o[0]+"="+value)
		}
	}
	return a
}

// readCertificate reads --certificate.
func (f *keyFlags) readCertificate() (pgp.Key, error) {
	if f.certificate == "" {
		return pgp.Key{}, usageError{errors.New("--key is not a file: --certificate, its public key, is missing")}
	}
	return readCertificate(f.certificate)
}

func readCertificate(path string) (pgp.Key, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return pgp.Key{}, &pgp.KeyError{Key: path, Err: err}
	}
	c, err := pgp.ParseSigningKey(data)
	if err != nil {
		return pgp.Key{}, &pgp.KeyError{Key: path, Err: err}
	}
	return c, nil
}

// asks returns a function that gives the passphrase: from the file, from the environment, or
// as a person types it. It asks once and remembers the answer.
func (f *keyFlags) asks(ctx context.Context, prompt string) sign.Passphrase {
	var known []byte
	return func() ([]byte, error) {
		var err error
		if known != nil {
			return known, nil
		}
		switch env := os.Getenv(passphraseVariable); {
		case f.passphrase != "":
			known, err = sign.ReadPassphrase(f.passphrase)
		case env != "":
			known = []byte(env)
			err = os.Unsetenv(passphraseVariable) // so that no program that runs later gets it
		default:
			known, err = typed(ctx, prompt)
		}
		return known, err
	}
}

// typed asks at the terminal, without echo.
func typed(ctx context.Context, prompt string) ([]byte, error) {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil || prompt == "" {
		return nil, sign.ErrLocked
	}
	fd := int(tty.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return nil, sign.ErrLocked
	}
	type answer struct {
		text []byte
		err  error
	}
	got := make(chan answer, 1)
	fmt.Fprint(tty, prompt+": ")
	go func() {
		text, err := term.ReadPassword(fd)
		got <- answer{text, err}
	}()
	select {
	case a := <-got:
		fmt.Fprintln(tty)
		tty.Close()
		if a.err == nil && len(bytes.TrimSpace(a.text)) == 0 {
			a.err = sign.ErrLocked
		}
		return a.text, a.err
	case <-ctx.Done(): // the goroutine that reads ends with the process
		return nil, errors.Join(context.Cause(ctx), term.Restore(fd, before))
	}
}

// keyHint returns the hint for an error of a key.
func keyHint(err error) string {
	switch {
	case errors.Is(err, sign.ErrReadable):
		return "chmod 600 hides the file from others"
	case errors.Is(err, sign.ErrLocked):
		return "--passphrase-file or $NAMIBUILD_PASSPHRASE unlocks it where there is no terminal"
	case errors.Is(err, sign.ErrUnreachable):
		return "gpgconf --launch gpg-agent starts it; --key agent:SOCKET names another"
	case errors.Is(err, sign.ErrNoKey):
		return "gpg --import imports a secret key, gpg --card-status makes a card known to the agent"
	case errors.Is(err, sign.ErrRefused):
		return "if its pinentry cannot ask: export GPG_TTY=$(tty), or use --passphrase-file or $NAMIBUILD_PASSPHRASE"
	case errors.Is(err, pgp.ErrExpired):
		return "gpg --quick-set-expire FINGERPRINT 2y extends it; namibuild key new makes another"
	case errors.Is(err, pgp.ErrPurpose), errors.Is(err, pgp.ErrRevoked):
		return "namibuild key new makes a key that signs packages"
	}
	return ""
}
