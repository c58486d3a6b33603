package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"

	"github.com/docker/cli/cli/connhelper"
	"github.com/docker/docker/client"
)

// endpoint is the address of an engine; certs is a folder with ca.pem, cert.pem
// and key.pem, or empty.
type endpoint struct {
	host, certs string
}

// newClient returns a client for the engine of the environment, and the engine's
// address. It sends nothing yet.
func newClient() (c *client.Client, host string, err error) {
	at, err := locate(os.Getenv)
	if err != nil {
		return nil, "", err
	}
	options, err := at.options()
	if err == nil {
		c, err = client.NewClientWithOpts(options...)
	}
	if err != nil {
		return nil, "", unreachable(at.host, err)
	}
	return c, at.host, nil
}

// locate finds the engine as the docker command does: by DOCKER_HOST,
// DOCKER_CONTEXT, the current context of its configuration, or at the local
// socket.
func locate(env func(string) string) (endpoint, error) {
	if host := env("DOCKER_HOST"); host != "" {
		at := endpoint{host: host}
		if env("DOCKER_TLS_VERIFY") != "" {
			at.certs = env("DOCKER_CERT_PATH")
			if at.certs == "" {
				at.certs = dockerConfig(env)
			}
		}
		return at, nil
	}
	name := env("DOCKER_CONTEXT")
	if name == "" {
		var err error
		if name, err = currentContext(dockerConfig(env)); err != nil {
			return endpoint{}, err
		}
	}
	if name == "" || name == "default" {
		return endpoint{host: client.DefaultDockerHost}, nil
	}
	return contextEndpoint(dockerConfig(env), name)
}

// dockerConfig returns the folder of the docker command's settings.
func dockerConfig(env func(string) string) string {
	if dir := env("DOCKER_CONFIG"); dir != "" {
		return dir
	}
	return filepath.Join(env("HOME"), ".docker")
}

// currentContext returns the context that `docker context use` chose, or "" if
// the file does not exist or may not be read.
func currentContext(dir string) (string, error) {
	var config struct{ CurrentContext string }
	err := readJSON(filepath.Join(dir, "config.json"), &config)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return "", nil
	}
	return config.CurrentContext, err
}

// contextEndpoint reads a context of the docker command's store, which names the
// folder of a context by the SHA-256 of its name.
func contextEndpoint(dir, name string) (endpoint, error) {
	sum := sha256.Sum256([]byte(name))
	id := hex.EncodeToString(sum[:])
	var meta struct {
		Endpoints map[string]struct{ Host string }
	}
	if err := readJSON(filepath.Join(dir, "contexts", "meta", id, "meta.json"), &meta); err != nil {
		return endpoint{}, fmt.Errorf("docker context %s: %w", name, err)
	}
	at := endpoint{host: meta.Endpoints["docker"].Host}
	if at.host == "" {
		return endpoint{}, fmt.Errorf("docker context %s: it names no engine", name)
	}
	certs := filepath.Join(dir, "contexts", "tls", id, "docker")
	if _, err := os.Stat(certs); err == nil {
		at.certs = certs
	}
	return at, nil
}

func readJSON(file string, into any) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("reading docker configuration: %w", err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("reading docker configuration: %s: %w", file, err)
	}
	return nil
}

// options returns the client library's options for the endpoint. An ssh:// host
// is reached through `ssh … docker system dial-stdio`.
func (at endpoint) options() ([]client.Opt, error) {
	options := []client.Opt{client.WithVersionFromEnv(), client.WithAPIVersionNegotiation()}
	ssh, err := connhelper.GetConnectionHelper(at.host)
	switch {
	case err != nil:
		return nil, err
	case ssh != nil:
		web := &http.Client{Transport: &http.Transport{DialContext: ssh.Dialer}}
		return append(options, client.WithHTTPClient(web), client.WithHost(ssh.Host), client.WithDialContext(ssh.Dialer)), nil
	}
	if at.certs != "" {
		options = append(options, client.WithTLSClientConfig(at.pem("ca"), at.pem("cert"), at.pem("key")))
	}
	return append(options, client.WithHost(at.host)), nil
}

// pem returns the path of a certificate file, or "" if it does not exist.
func (at endpoint) pem(name string) string {
	file := filepath.Join(at.certs, name+".pem")
	if _, err := os.Stat(file); err != nil {
		return ""
	}
	return file
}
