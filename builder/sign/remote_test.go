package sign_test

import (
	"context"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"namibuild/builder/pgp"
	"namibuild/builder/sign"
)

// public returns the public key that gpg exports.
func public(t *testing.T, env []string) pgp.Key {
	t.Helper()
	c, err := pgp.ParseSigningKey([]byte(must(t, env, "gpg", "--batch", "--armor", "--export")))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func socket(t *testing.T, env []string) string {
	t.Helper()
	must(t, env, "gpgconf", "--launch", "gpg-agent")
	return strings.TrimSpace(must(t, env, "gpgconf", "--list-dirs", "agent-socket"))
}

// TestAgent checks that gpg-agent signs, that it asks for the passphrase, and what
// errors there are.
func TestAgent(t *testing.T) {
	const secret = "100% Sesam\tüber +alles"
	env := home(t)
	gpgKey(t, env, secret, "rsa3072", "sign", "never")
	must(t, env, "gpgconf", "--kill", "gpg-agent") // forgets the passphrase
	at, c := socket(t, env), public(t, env)
	ctx := context.Background()
	if _, err := attempt(ctx, sign.Agent{Socket: at, Passphrase: fixed("Sesam")}, c); !errors.Is(err, sign.ErrPassphrase) {
		t.Errorf("wrong passphrase: %v", err)
	}
	if _, err := attempt(ctx, sign.Agent{Socket: at, Passphrase: none}, c); !errors.Is(err, sign.ErrLocked) {
		t.Errorf("no passphrase: %v", err)
	}
	k, err := attempt(ctx, sign.Agent{Socket: at, Passphrase: fixed(secret)}, c)
	if err != nil {
		t.Fatal(err)
	}
	accepted(t, k)

	other, _ := made()
	if _, err := (sign.Agent{Socket: at}).Open(ctx, other.Key); !errors.Is(err, sign.ErrNoKey) {
		t.Errorf("another key: %v", err)
	}
	if _, err := (sign.Agent{Socket: at + ".none"}).Open(ctx, c); !errors.Is(err, sign.ErrUnreachable) {
		t.Errorf("no agent: %v", err)
	}
	stopped, cancel := context.WithTimeoutCause(ctx, 300*time.Millisecond, errors.New("stopped"))
	defer cancel()
	waiting := sign.Agent{Socket: at, Passphrase: func() ([]byte, error) { <-stopped.Done(); return nil, context.Cause(stopped) }}
	must(t, env, "gpg-connect-agent", "reloadagent", "/bye") // forgets, too
	if _, err := attempt(stopped, waiting, c); err == nil || !strings.Contains(err.Error(), "stopped") {
		t.Errorf("stopped: %v", err)
	}
}

// attempt opens a key and signs with it.
func attempt(ctx context.Context, a sign.Agent, c pgp.Key) (sign.Key, error) {
	k, err := a.Open(ctx, c)
	if err == nil {
		_, err = k.Raw(ctx, []byte("x"))
	}
	return k, err
}

// TestAgentPinentry checks that the agent asks its own pinentry if Passphrase is
// not set. Here that is a program that answers by itself.
func TestAgentPinentry(t *testing.T) {
	env := home(t)
	dir := strings.TrimPrefix(env[0], "GNUPGHOME=")
	gpgKey(t, env, "Sesam", "rsa2048", "sign", "never")
	must(t, env, "gpgconf", "--kill", "gpg-agent")
	pinentry := filepath.Join(dir, "pinentry")
	program := "#!/bin/sh\necho OK\nwhile read -r word rest; do\n  case $word in\n  SETDESC) echo \"$rest\" >" + dir + "/asked ;;\n  OPTION) echo \"$rest\" >>" + dir + "/options ;;\n  GETPIN) echo D Sesam ;;\n  BYE) echo OK; exit ;;\n  esac\n  echo OK\ndone\n"
	if err := errors.Join(os.WriteFile(pinentry, []byte(program), 0o700),
		os.WriteFile(filepath.Join(dir, "gpg-agent.conf"), []byte("pinentry-program "+pinentry+"\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	c := public(t, env)
	if _, err := attempt(context.Background(), sign.Agent{Socket: socket(t, env), Options: []string{"ttyname=/dev/null"}}, c); err != nil {
		t.Fatal(err)
	}
	must(t, env, "gpgconf", "--kill", "gpg-agent")
	if err := os.WriteFile(pinentry, []byte("#!/bin/sh\nexit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := attempt(context.Background(), sign.Agent{Socket: socket(t, env)}, c); !errors.Is(err, sign.ErrRefused) {
		t.Errorf("a pinentry that does not work: %v", err)
	}
	asked, err := os.ReadFile(filepath.Join(dir, "asked"))
	if err != nil || !strings.Contains(string(asked), "namibuild signs packages with the key "+c.Fingerprint) {
		t.Errorf("the pinentry was asked %q, %v", asked, err)
	}
	if options, err := os.ReadFile(filepath.Join(dir, "options")); err != nil || !strings.Contains(string(options), "ttyname=/dev/null") {
		t.Errorf("the pinentry was told %q, %v", options, err)
	}
}

// TestCommand signs with openssl.
func TestCommand(t *testing.T) {
	dir := t.TempDir()
	pem := filepath.Join(dir, "key.pem")
	must(t, nil, "openssl", "genrsa", "-out", pem, "2048")
	must(t, nil, "openssl", "genrsa", "-out", pem+"2", "2048")
	line := "openssl pkeyutl -sign -pkeyopt digest:sha256 -inkey "
	k := certified(t, must(t, nil, "openssl", "rsa", "-in", pem, "-pubout"), sign.Command(line+pem))
	accepted(t, k)

	for name, test := range map[string]struct{ line, want string }{
		"another key":     {line + pem + "2", "the signer's answer is not a signature by this key"},
		"another digest":  {"cat >/dev/null; head -c 32 /dev/zero | " + line + pem, "the signer's answer is not a signature by this key"},
		"fails":           {"echo out of order >&2; echo the HSM is away >&2; exit 3", "running the signing command: exit status 3: the HSM is away"},
		"answers nothing": {"true", "running the signing command: it wrote no signature"},
		"answers much":    {"cat /dev/zero | head -c 10000000", "the signer's answer is not a signature by this key"},
		"not there":       {"/nonexistent/signer", "running the signing command: exit status 127: "},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := sign.NewKey(k.Key, sign.Command(test.line)).Raw(context.Background(), []byte("x"))
			var about *pgp.KeyError
			if err == nil || !strings.Contains(err.Error(), test.want) || !errors.As(err, &about) {
				t.Errorf("got %v, want …%s…", err, test.want)
			}
		})
	}
	ctx, cancel := context.WithTimeoutCause(context.Background(), 100*time.Millisecond, errors.New("stopped"))
	defer cancel()
	if _, err := sign.NewKey(k.Key, sign.Command("sleep 60")).Raw(ctx, nil); err == nil || !strings.Contains(err.Error(), "stopped") {
		t.Errorf("stopped: %v", err)
	}
}

// certified makes an OpenPGP key of a signer's RSA key.
func certified(t *testing.T, pem string, s sign.Signer) sign.Key {
	t.Helper()
	p, err := sign.ParsePublicPEM([]byte(pem))
	if err != nil {
		t.Fatal(err)
	}
	k, err := sign.Certify(context.Background(), p, s, pgp.NewKeyOptions{Name: "HSM <hsm@example.org>", Created: born})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

const softhsm = "/usr/lib/softhsm/libsofthsm2.so"

// TestToken signs with a PKCS #11 token.
func TestToken(t *testing.T) {
	dir := t.TempDir()
	conf := filepath.Join(dir, "softhsm2.conf")
	if err := os.WriteFile(conf, []byte("directories.tokendir = "+dir+"\nobjectstore.backend = file\nlog.level = ERROR\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOFTHSM2_CONF", conf)
	must(t, nil, "softhsm2-util", "--init-token", "--free", "--label", "release token", "--so-pin", "123456", "--pin", "4711")
	must(t, nil, "pkcs11-tool", "--module", softhsm, "--token-label", "release token", "--login", "--pin", "4711", "--keypairgen", "--key-type", "rsa:2048", "--label", "kernels", "--id", "0a")
	uri := "pkcs11:token=release%20token;object=kernels?module-path=" + softhsm
	token, err := sign.OpenToken(uri, fixed("4711"))
	if err != nil {
		t.Fatal(err)
	}
	defer token.Close()
	if token.Public == nil {
		t.Fatal("the token has no public half")
	}
	k, err := sign.Certify(context.Background(), token.Public, token, pgp.NewKeyOptions{Name: "Token", Created: born})
	if err != nil {
		t.Fatal(err)
	}
	accepted(t, k)

	byID, err := sign.OpenToken("pkcs11:token=release%20token;id=%0a?module-path="+softhsm, fixed("4711"))
	if err != nil {
		t.Fatal(err)
	}
	defer byID.Close()
	if _, err := sign.NewKey(k.Key, byID).Raw(context.Background(), []byte("x")); err != nil {
		t.Error(err)
	}
	other, _ := made()
	if _, err := sign.NewKey(other.Key, token).Raw(context.Background(), []byte("x")); err == nil || !strings.Contains(err.Error(), "not a signature by this key") {
		t.Errorf("another certificate: %v", err)
	}
	for name, test := range map[string]struct {
		uri  string
		pin  sign.Passphrase
		want string
	}{
		"PIN in it":    {uri + "&pin-value=4711", fixed("4711"), "the URI holds a PIN, which others could see"},
		"no module":    {"pkcs11:token=x;object=y", fixed("4711"), "the URI names no module"},
		"no token":     {"pkcs11:object=y?module-path=" + softhsm, fixed("4711"), "the URI names 0 tokens, want one"},
		"no key":       {"pkcs11:token=x?module-path=" + softhsm, fixed("4711"), "the URI names no key"},
		"wrong module": {"pkcs11:token=x;object=y?module-path=/nonexistent.so", fixed("4711"), "opening the token: "},
		"no PIN":       {uri, none, sign.ErrLocked.Error()},
		"other token":  {strings.Replace(uri, "release", "other", 1), fixed("4711"), "opening the token: "},
		"other key":    {strings.Replace(uri, "kernels", "none", 1), fixed("4711"), "the token has no such RSA key"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := sign.OpenToken(test.uri, test.pin)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want …%s…", err, test.want)
			}
		})
	}
}

// TestTokenWrongPIN checks that a wrong PIN has its own error. It is a test of its
// own, because a token does not ask again once a process is logged in.
func TestTokenWrongPIN(t *testing.T) {
	dir := t.TempDir()
	conf := filepath.Join(dir, "softhsm2.conf")
	if err := os.WriteFile(conf, []byte("directories.tokendir = "+dir+"\nobjectstore.backend = file\nlog.level = ERROR\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOFTHSM2_CONF", conf)
	must(t, nil, "softhsm2-util", "--init-token", "--free", "--label", "t", "--so-pin", "123456", "--pin", "4711")
	if _, err := sign.OpenToken("pkcs11:token=t;object=k?module-path="+softhsm, fixed("4712")); !errors.Is(err, sign.ErrPassphrase) {
		t.Error(err)
	}
}

// TestKeygrip checks that our name of a key in gpg-agent is the agent's.
func TestKeygrip(t *testing.T) {
	env := home(t)
	gpgKey(t, env, "", "rsa2048", "sign", "never")
	list := must(t, env, "gpg", "--batch", "--with-colons", "--with-keygrip", "--list-keys")
	_, after, _ := strings.Cut(list, "\ngrp:::::::::")
	want, _, _ := strings.Cut(after, ":")
	if got := strings.ToUpper(hex.EncodeToString(sign.Keygrip(public(t, env)))); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
