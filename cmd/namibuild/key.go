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

	"namibuild/builder/pgp"
	"namibuild/builder/sign"
)

func (a *app) keyCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "key",
		Short: "Make and look at keys that sign packages",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return usageError{fmt.Errorf("unknown command %q for %q", args[0], c.CommandPath())}
		},
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(a.keyNewCommand(), a.keyCertifyCommand(), a.keyShowCommand())
	return c
}

// newKeyFlags are what a key says of itself, and where it goes.
type newKeyFlags struct {
	output string
	years  int
	open   bool
	public string
	created
	keyFlags
}

// created is --created: when a key says that it was made.
type created struct{ at string }

func (c created) time() (time.Time, error) {
	if c.at == "" {
		return time.Now(), nil
	}
	t, err := time.Parse(time.DateOnly, c.at)
	if err != nil {
		return t, usageError{fmt.Errorf("--created %s: a day as 2026-01-31 was expected", c.at)}
	}
	return t, nil
}

func (f *newKeyFlags) add(c *cobra.Command) {
	c.Flags().IntVar(&f.years, "years", 0, "years until the key expires (default never)")
	c.Flags().StringVar(&f.at, "created", "", "day that the key says it was made, as 2026-01-31 (default now)")
}

func (f *newKeyFlags) options(name string) (pgp.NewKeyOptions, error) {
	at, err := f.time()
	if err != nil {
		return pgp.NewKeyOptions{}, err
	}
	if f.years < 0 || f.years > 100 {
		return pgp.NewKeyOptions{}, usageError{fmt.Errorf("--years %d: 0 to 100 was expected", f.years)}
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
		Short: "Make a key that every rpm since EL5 can check",
		Long: `new makes an RSA key of 4096 bits without subkeys and writes PREFIX.key (secret,
locked by a passphrase, yours alone) and PREFIX.asc (public, for everybody). NAME is
what people see: "Name <mail address>". Signatures bear a set's time or, if that is
earlier, the key's: the day of --created is the earliest that they can bear.`,
		Example: `  namibuild key new "Our kernels <kernels@example.org>" -o kernels`,
		Args:    oneArg("a name"),
		RunE:    func(c *cobra.Command, args []string) error { return a.keyNew(c.Context(), args[0], f) },
	}
	c.Flags().StringVarP(&f.output, "output", "o", "signing", "prefix of the two files")
	c.Flags().BoolVar(&f.open, "no-passphrase", false, "leave the secret key unlocked: only its file's mode protects it")
	f.add(c)
	f.addPassphrase(c)
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
			return usageError{fmt.Errorf("%s is there already; -o chooses another prefix", file)}
		}
	}
	var passphrase []byte
	if !f.open {
		if passphrase, err = f.fresh(ctx); err != nil {
			return err
		}
	}
	k, secret, err := sign.Generate(o, passphrase)
	if err != nil {
		return usageError{err}
	}
	if err := create(secretFile, secret, 0o600); err != nil {
		return &pgp.KeyError{Key: secretFile, Err: err}
	}
	if err := a.publish(k, publicFile); err != nil {
		return errors.Join(err, os.Remove(secretFile))
	}
	return a.printKey(k.Key, secretFile, publicFile)
}

// fresh asks for a new passphrase; a person types it twice.
func (f *keyFlags) fresh(ctx context.Context) ([]byte, error) {
	given := f.passphrase != "" || os.Getenv(passphraseVariable) != ""
	first, err := f.asks(ctx, "new passphrase")()
	if errors.Is(err, sign.ErrLocked) {
		return nil, usageError{errors.New("no passphrase for the new key: --passphrase-file, $NAMIBUILD_PASSPHRASE or --no-passphrase is wanted")}
	}
	if err != nil || given {
		return first, err
	}
	again, err := typed(ctx, "once more")
	if err == nil && string(again) != string(first) {
		err = usageError{errors.New("the two passphrases differ")}
	}
	return first, err
}

// publish writes the public half.
func (a *app) publish(k sign.Key, file string) error {
	public, err := k.Public()
	if err == nil {
		err = create(file, public, 0o644)
	}
	if err != nil {
		return &pgp.KeyError{Key: file, Err: err}
	}
	return nil
}

// create writes a file that must not be there; nothing is left of a failure.
func create(path string, data []byte, mode os.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

func (a *app) keyCertifyCommand() *cobra.Command {
	var f newKeyFlags
	c := &cobra.Command{
		Use:   "certify NAME",
		Short: "Make the OpenPGP certificate of an RSA key on a token or in a key service",
		Long: `certify lets a key that has no OpenPGP form yet sign its own name, and writes
PREFIX.asc, which is --certificate from then on. --key is pkcs11:URI or
command:COMMAND ("namibuild sign --help" has more of them). Where the signer does not
tell its public half, --public names a PEM file with it.`,
		Example: `  namibuild key certify "Kernels" -o kernels --key 'pkcs11:token=T;object=K?module-path=/usr/lib/softhsm/libsofthsm2.so'
  namibuild key certify "Kernels" -o kernels --key 'command:./kms-sign' --public kms.pem`,
		Args: oneArg("a name"),
		RunE: func(c *cobra.Command, args []string) error { return a.keyCertify(c.Context(), args[0], f) },
	}
	c.Flags().StringVarP(&f.output, "output", "o", "signing", "prefix of the file")
	c.Flags().StringVar(&f.key, "key", envOr("NAMIBUILD_KEY", ""), "who signs: pkcs11:URI, command:COMMAND ($NAMIBUILD_KEY)")
	c.Flags().StringVar(&f.public, "public", "", "PEM file of the public half")
	f.add(c)
	f.addPassphrase(c)
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
		return err
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
		return usageError{errors.New("the signer does not tell its public half: --public is missing")}
	}
	k, err := sign.Certify(ctx, public, s, o)
	if err != nil {
		return err
	}
	file := f.output + ".asc"
	if err := a.publish(k, file); err != nil {
		return err
	}
	return a.printKey(k.Key, "", file)
}

// signer reaches a signer that knows nothing of OpenPGP, and its public half if
// it tells. The caller calls the function at the end.
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
	return nil, nil, nil, usageError{fmt.Errorf("--key %q: pkcs11:URI or command:COMMAND was expected", f.key)}
}

func (a *app) keyShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show FILE",
		Short: "Say what a key file holds and whether it may sign",
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

func (a *app) printKey(c pgp.Key, secret, public string) error {
	if a.json {
		a.emit(struct {
			Event       string     `json:"event"`
			Fingerprint string     `json:"fingerprint"`
			Name        string     `json:"name"`
			Bits        int        `json:"bits"`
			Created     time.Time  `json:"created"`
			Expires     *time.Time `json:"expires,omitempty"`
			Secret      string     `json:"secret,omitempty"`
			Public      string     `json:"public,omitempty"`
		}{"key", c.Fingerprint, c.Name, c.Bits(), c.Created(), ends(c), secret, public})
		return nil
	}
	until := "never expires"
	if e := ends(c); e != nil {
		until = "expires " + e.Format(time.DateOnly)
	}
	fmt.Printf("%s\n  %s\n  RSA %d, made %s, %s\n", c.Fingerprint, c.Name, c.Bits(), c.Created().Format(time.DateOnly), until)
	if secret != "" {
		fmt.Printf("  secret: %s (keep it)\n", secret)
	}
	if public != "" {
		fmt.Printf("  public: %s (hosts take it with rpm --import)\n", public)
	}
	return nil
}

func ends(c pgp.Key) *time.Time {
	if e := c.Expires(); !e.IsZero() {
		return &e
	}
	return nil
}
