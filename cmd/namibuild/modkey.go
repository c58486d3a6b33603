package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"namibuild/builder/durable"
	"namibuild/builder/modkey"
)

// keyUse says what a key of each kind is good for.
var keyUse = map[modkey.Kind]string{
	modkey.OpenPGP: "kernels that sign their modules with gpg (EL6, the demo)",
	modkey.X509:    "kernels that sign their modules by X.509 (EL7 and later)",
}

func (a *app) modkeyCommand() *cobra.Command {
	c := parent(&cobra.Command{
		Use:   "modkey",
		Short: "Make and show the key that signs the kernel's modules",
		Long: `A kernel contains the public half of the key that signs its modules, so that two
builds can only be equal if they use the same key. The recipe says which key it is:

  module-key: ephemeral
      A key made in the build, as kernel specs do it. No build is reproducible.
  module-key: {persistent: my.key}
      Your own key. namibuild signs with it, and the private half never enters the
      container. All builds with it are equal.
  module-key: {recorded: module-signatures.json}
      The signatures that a build with a persistent key has written beside its
      packages. They make the same packages again, without the key.

EL6's kernel signs with gpg, those of EL7 and later with X.509. Each needs a key of its
kind.`,
	})
	c.AddCommand(a.modkeyNewCommand(), a.modkeyShowCommand())
	return c
}

func (a *app) modkeyNewCommand() *cobra.Command {
	var name string
	var x509 bool
	c := &cobra.Command{
		Use:   "new FILE",
		Short: "Make a module key",
		Long: `new makes a key for ` + keyUse[modkey.OpenPGP] + `:
DSA of 1024 bits, the only kind that EL6 knows. With --x509 it makes one for
` + keyUse[modkey.X509] + `: RSA of 4096 bits
and a certificate, in the form of the kernel's own certs/signing_key.pem, which a recipe
can name as well. The file holds the private half without a passphrase, and only you can
read it. An existing file is not replaced.`,
		Example: "  namibuild modkey new my.key\n  namibuild modkey new my.pem --x509 --name 'Our kernels'",
		Args:    oneArg("a file"),
		RunE: func(_ *cobra.Command, args []string) error {
			kind := modkey.OpenPGP
			if x509 {
				kind = modkey.X509
			}
			return a.modkeyNew(args[0], kind, name)
		},
	}
	c.Flags().StringVar(&name, "name", "namibuild kernel module signing key", "name the key `NAME` (user ID, common name)")
	c.Flags().BoolVar(&x509, "x509", false, "make a key for "+keyUse[modkey.X509])
	return c
}

func (a *app) modkeyNew(file string, kind modkey.Kind, name string) error {
	if _, err := os.Lstat(file); err == nil {
		return usageError{fmt.Errorf("making %s: the file exists already", file)}
	}
	k, err := modkey.New(rand.Reader, kind, name)
	if err != nil {
		return usageError{err}
	}
	text, err := k.Text()
	if err != nil {
		return err
	}
	if err := durable.WriteFile(file, text, 0o600); err != nil {
		return &durable.Error{Path: file, Err: err}
	}
	return a.printModuleKey(file, k.Public, "private", 0)
}

func (a *app) modkeyShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "show FILE",
		Short:   "Show a module key or a file of recorded signatures",
		Example: "  namibuild modkey show my.key\n  namibuild modkey show out/demo/module-signatures.json",
		Args:    oneArg("a file"),
		RunE:    func(_ *cobra.Command, args []string) error { return a.modkeyShow(args[0]) },
	}
}

func (a *app) modkeyShow(file string) error {
	data, err := readBounded(file, modkey.MaxTable)
	if err != nil {
		return usageError{err}
	}
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		t, err := modkey.ParseTable(data)
		if err != nil {
			return usageError{fmt.Errorf("%s: %w", file, err)}
		}
		return a.printModuleKey(file, t.Public, "recorded", t.Len())
	}
	k, err := modkey.Open(file)
	if err != nil {
		return usageError{err}
	}
	return a.printModuleKey(file, k.Public, "private", 0)
}

// shownModuleKey is a module key as JSON.
type shownModuleKey struct {
	Algorithm   string      `json:"algorithm"`
	File        string      `json:"file"`
	Fingerprint string      `json:"fingerprint"`
	Half        string      `json:"half"` // private or recorded
	Kind        modkey.Kind `json:"kind"`
	Name        string      `json:"name"`
	Signatures  int         `json:"signatures"`
}

func (a *app) printModuleKey(file string, k modkey.Public, half string, signatures int) error {
	shown := shownModuleKey{k.Algorithm(), file, k.Fingerprint, half, k.Kind, k.Name(), signatures}
	return a.print("result", shown, func() error {
		fmt.Printf("%s\nname        %s\nfingerprint %s\nalgorithm   %s\n", file, k.Name(), k.Fingerprint, k.Algorithm())
		if half == "recorded" {
			_, err := fmt.Printf("signatures  %d, to build without the key: module-key: {recorded: FILE}\n", signatures)
			return err
		}
		_, err := fmt.Printf("good for    %s\nkeep        the file to yourself: it holds the private half, without a passphrase\n", keyUse[k.Kind])
		return err
	})
}

// readBounded reads a file of at most most bytes.
func readBounded(file string, most int64) ([]byte, error) {
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, &fs.PathError{Op: "read", Path: file, Err: errors.New("it is not a regular file")}
	case info.Size() > most:
		return nil, &fs.PathError{Op: "read", Path: file, Err: fmt.Errorf("it has more than %d bytes", most)}
	}
	return os.ReadFile(file)
}
