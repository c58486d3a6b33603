package main

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"namibuild/builder/durable"
	"namibuild/builder/pgp"
	"namibuild/builder/sign"
)

func (a *app) keyCommand() *cobra.Command {
	c := parent(&cobra.Command{
		Use:   "key",
		Short: "Make and show keys that sign packages",
	})
	c.AddCommand(a.keyNewCommand(), a.keyCertifyCommand(), a.keyShowCommand())
	return c
}

// newKeyFlags are the flags that say what is in a new key, and where it is written.
type newKeyFlags struct {
	output   string
	years    int
	unlocked bool
	public   string
	created
	keyFlags
}

// created is the value of --created, the time that a key says it was made.
type created struct{ at string }

func (c created) time() (time.Time, error) {
	if c.at == "" {
		return time.Now(), nil
	}
	t, err := time.Parse(time.DateOnly, c.at)
	if err != nil {
		return t, usageError{fmt.Errorf("--created %s: must be a day such as 2026-01-31", c.at)}
	}
	return t, nil
}

func (f *newKeyFlags) add(c *cobra.Command) {
	c.Flags().IntVar(&f.years, "years", 0, "let the key expire after `N` years (default never)")
	c.Flags().StringVar(&f.at, "created", "", "say in the key that it was made on `DAY`, such as 2026-01-31 (default now)")
}

func (f *newKeyFlags) options(name string) (pgp.NewKeyOptions, error) {
	at, err := f.time()
	if err != nil {
		return pgp.NewKeyOptions{}, err
	}
	if f.years < 0 || f.years > 100 {
		return pgp.NewKeyOptions{}, usageError{fmt.Errorf("--years %d: must be 0 to 100", f.years)}
	}
	o := pgp.NewKeyOptions{Name: name, Created: at}
	if f.years > 0 {
		o.Lifetime = at.AddDate(f.years, 0, 0).Sub(at)
	}
	return o, nil
}

func (a *app) keyNewCommand() *cobra.Command {
	var f newKeyFlags
	c := &cobra.Command{
		Use:   "new NAME",
		Short: "Make a key whose signatures every rpm since CentOS 6 can check",
		Long: `new makes an RSA key of 4096 bits without subkeys. It writes PREFIX.key, the secret half
for you alone, locked by a passphrase, and PREFIX.asc, the public half for everybody.
NAME is what people see: "Name <mail address>".

A signature bears the time of the set that it signs. If the key is newer than that, the
signature bears the time at which the key was made; --created sets that time.`,
		Example: `  namibuild key new "Our kernels <kernels@example.org>" -o kernels`,
		Args:    oneArg("a name"),
		RunE:    func(c *cobra.Command, args []string) error { return a.keyNew(c.Context(), args[0], f) },
	}
	c.Flags().StringVarP(&f.output, "output", "o", "signing", "begin the names of the two files with `PREFIX`")
	c.Flags().BoolVar(&f.unlocked, "no-passphrase", false, "do not lock the secret key: only its file's mode protects it")
	f.add(c)
	f.addPassphrase(c, "lock the secret key")
	return c
}

func (a *app) keyNew(ctx context.Context, name string, f newKeyFlags) error {
	o, err := f.options(name)
	if err != nil {
		return err
	}
	secretFile, publicFile := f.output+".key", f.output+".asc"
	for _, file := range []string{secretFile, publicFile} {
		if _, err := os.Lstat(file); err == nil {
			return usageError{fmt.Errorf("%s exists already; choose another prefix with -o", file)}
		}
	}
	var passphrase []byte
	if !f.unlocked {
		if passphrase, err = f.fresh(ctx); err != nil {
			return err
		}
	}
	k, secret, err := sign.Generate(o, passphrase)
	if err != nil {
		return usageError{err}
	}
	if err := durable.WriteFile(secretFile, secret, 0o600); err != nil {
		return &durable.Error{Path: secretFile, Err: err}
	}
	if err := writePublic(k, publicFile); err != nil {
		return errors.Join(err, os.Remove(secretFile))
	}
	return a.printKey(k.Key, secretFile, publicFile)
}

// fresh asks for the passphrase of a new key. A person types it twice.
func (f *keyFlags) fresh(ctx context.Context) ([]byte, error) {
	isSet := f.passphrase != "" || os.Getenv(passphraseVariable) != ""
	first, err := f.asks(ctx, "new passphrase")()
	if errors.Is(err, sign.ErrLocked) {
		return nil, usageError{errors.New("no passphrase for the new key: use --passphrase-file, $NAMIBUILD_PASSPHRASE or --no-passphrase")}
	}
	if err != nil || isSet {
		return first, err
	}
	again, err := typed(ctx, "the same again")
	if err == nil && string(again) != string(first) {
		err = usageError{errors.New("the two passphrases differ")}
	}
	return first, err
}

// writePublic writes the public half of a key.
func writePublic(k sign.Key, file string) error {
	public, err := k.Public()
	if err != nil {
		return &pgp.KeyError{Key: file, Err: err}
	}
	if err := durable.WriteFile(file, public, 0o644); err != nil {
		return &durable.Error{Path: file, Err: err}
	}
	return nil
}

func (a *app) keyCertifyCommand() *cobra.Command {
	var f newKeyFlags
	c := &cobra.Command{
		Use:   "certify NAME",
		Short: "Make the OpenPGP certificate of an RSA key on a token or in a key service",
		Long: `certify lets a key that has no OpenPGP form yet sign its own name, and writes
PREFIX.asc, the file for --certificate from then on. --key is pkcs11:URI or
command:COMMAND ("namibuild sign --help" explains them). If the signer does not give its
public half, --public names a PEM file that holds it.`,
		Example: `  namibuild key certify "Kernels" -o kernels \
      --key 'pkcs11:token=T;object=K?module-path=/usr/lib/softhsm/libsofthsm2.so'
  namibuild key certify "Kernels" -o kernels --key 'command:./kms-sign' --public kms.pem`,
		Args: oneArg("a name"),
		RunE: func(c *cobra.Command, args []string) error { return a.keyCertify(c.Context(), args[0], f) },
	}
	c.Flags().StringVarP(&f.output, "output", "o", "signing", "begin the name of the file with `PREFIX`")
	c.Flags().StringVar(&f.key, "key", envOr("NAMIBUILD_KEY", ""), "sign with `KEY`: pkcs11:URI, command:COMMAND ($NAMIBUILD_KEY)")
	c.Flags().StringVar(&f.public, "public", "", "read the public half from the PEM `FILE`")
	f.add(c)
	f.addPassphrase(c, "unlock the token")
	return c
}

func (a *app) keyCertify(ctx context.Context, name string, f newKeyFlags) error {
	o, err := f.options(name)
	if err != nil {
		return err
	}
	kind, place, _ := strings.Cut(f.key, ":")
	s, public, closeSigner, err := f.signer(ctx, kind, place)
	if err != nil {
		return a.cause(ctx, err)
	}
	defer closeSigner()
	if f.public != "" {
		data, err := os.ReadFile(f.public)
		if err == nil {
			public, err = sign.ParsePublicPEM(data)
		}
		if err != nil {
			return &pgp.KeyError{Key: f.public, Err: err}
		}
	}
	if public == nil {
		return usageError{errors.New("the signer does not give its public half: --public is missing")}
	}
	k, err := sign.Certify(ctx, public, s, o)
	if err != nil {
		return a.cause(ctx, err)
	}
	file := f.output + ".asc"
	if err := writePublic(k, file); err != nil {
		return err
	}
	return a.printKey(k.Key, "", file)
}

// signer opens a signer that knows nothing of OpenPGP. Its public half is nil if the signer
// does not give it. The caller calls the function when the signer is no longer needed.
func (f *keyFlags) signer(ctx context.Context, kind, place string) (sign.Signer, *rsa.PublicKey, func(), error) {
	switch kind {
	case "command":
		if strings.TrimSpace(place) != "" {
			return sign.Command(place), nil, func() {}, nil
		}
	case "pkcs11":
		t, err := sign.OpenToken(f.key, f.asks(ctx, "PIN of the token"))
		if err != nil {
			return nil, nil, nil, err
		}
		return t, t.Public, func() { t.Close() }, nil
	}
	return nil, nil, nil, usageError{fmt.Errorf("--key %q: must be pkcs11:URI or command:COMMAND", f.key)}
}

func (a *app) keyShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show FILE",
		Short: "Show the key in a file, and check that it can sign packages",
		Args:  oneArg("a key file"),
		RunE: func(_ *cobra.Command, args []string) error {
			c, err := readCertificate(args[0])
			if err != nil {
				return err
			}
			if err := a.printKey(c, "", ""); err != nil {
				return err
			}
			return c.Check(time.Now())
		},
	}
}

// shownKey is a key as JSON.
type shownKey struct {
	Fingerprint string     `json:"fingerprint"`
	Name        string     `json:"name"`
	Bits        int        `json:"bits"`
	Created     time.Time  `json:"created"`
	Expires     *time.Time `json:"expires,omitempty"`
	Secret      string     `json:"secret,omitempty"`
	Public      string     `json:"public,omitempty"`
}

// printKey prints a key and the files of its halves that were written.
func (a *app) printKey(k pgp.Key, secret, public string) error {
	shown := shownKey{k.Fingerprint, k.Name, k.Bits(), k.Created(), ends(k), secret, public}
	return a.print("key", shown, func() error {
		until := "never expires"
		if shown.Expires != nil {
			until = "expires " + shown.Expires.Format(time.DateOnly)
		}
		_, err := fmt.Printf("%s\n  %s\n  RSA %d, made %s, %s\n", k.Fingerprint, k.Name, k.Bits(), k.Created().Format(time.DateOnly), until)
		if secret != "" {
			_, err = fmt.Printf("  secret: %s (keep it)\n", secret)
		}
		if public != "" {
			_, err = fmt.Printf("  public: %s (hosts import it with rpm --import)\n", public)
		}
		return err
	})
}

// ends returns the time when a key expires, or nil.
func ends(c pgp.Key) *time.Time {
	if e := c.Expires(); !e.IsZero() {
		return &e
	}
	return nil
}
