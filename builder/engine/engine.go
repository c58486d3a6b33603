// Package engine is the only room that knows Docker and BuildKit.
//
// It turns a Dockerfile into an image or a folder of files, and an image into
// one locked-down container: a tar goes in, a command runs, a tar comes out.
// Everything goes over the Docker API (1.41, engine 20.10, and later), so a
// remote engine does what the local one does; no path of this machine is ever
// mounted.
//
// Containers and volumes carry the label of the process that made them, its
// driver. Remove takes away what one container brought; Sweep takes away what
// drivers left that were killed. A container's stdin is held open by its
// driver: the program in it ends when stdin does.
//
// The package starts no engine, pulls no builder image by itself (BuildKit
// pulls what a Dockerfile names) and knows nothing of RPMs.
package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/docker/docker/api/types/versions"
	"github.com/docker/docker/client"
)

// minAPI is the API of engine 20.10, the oldest that is tested.
const minAPI = "1.41"

// connectTimeout bounds the first word with an engine: a firewall that drops
// packets must not look like a long build.
const connectTimeout = 30 * time.Second

// Options are the choices of one connection.
type Options struct {
	// Prefix is the first part of every image's name: "namibuild".
	Prefix string
}

// Engine is a connection to one Docker engine. It is safe for concurrent use.
type Engine struct {
	client *client.Client
	prefix string
	info   Info
	owner  owner
}

// Info is what an engine says about itself.
type Info struct {
	// Host is its address: unix:///var/run/docker.sock.
	Host string
	// Version is the engine's own, APIVersion the one that is spoken with it.
	Version, APIVersion string
	CPUs                int
	// Memory is in bytes.
	Memory   int64
	OS, Arch string
	// Confined: its containers are in a user namespace (rootless, userns-remap), in
	// which not all that root may is allowed.
	Confined bool
}

// Connect opens a connection to the engine that the environment names, as the
// docker command finds it: DOCKER_HOST (unix, tcp, ssh), DOCKER_CONTEXT, the
// current context of the docker command, the local socket. Errors:
// *UnreachableError, *TooOldError. The caller closes the Engine.
func Connect(ctx context.Context, o Options) (*Engine, error) {
	if !imageName.MatchString(o.Prefix) {
		return nil, fmt.Errorf("connecting to the engine: image prefix %q: want lower-case letters, digits, dots, dashes", o.Prefix)
	}
	owner, err := thisProcess()
	if err != nil {
		return nil, fmt.Errorf("naming this process: %w", err)
	}
	c, host, err := newClient()
	if err != nil {
		return nil, err
	}
	info, err := greet(ctx, c, host)
	if err != nil {
		c.Close()
		return nil, err
	}
	return &Engine{client: c, prefix: o.Prefix, info: info, owner: owner}, nil
}

// greet says hello, settles the API version and asks for the engine's size.
func greet(ctx context.Context, c *client.Client, host string) (Info, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	ping, err := c.Ping(ctx)
	if err != nil {
		return Info{}, unreachable(host, err)
	}
	c.NegotiateAPIVersionPing(ping)
	if versions.LessThan(ping.APIVersion, minAPI) {
		v, _ := c.ServerVersion(ctx) // only for the message
		return Info{}, &TooOldError{Host: host, Version: v.Version, APIVersion: ping.APIVersion}
	}
	s, err := c.Info(ctx)
	if err != nil {
		return Info{}, unreachable(host, err)
	}
	return Info{
		Host: host, Version: s.ServerVersion, APIVersion: c.ClientVersion(),
		CPUs: s.NCPU, Memory: s.MemTotal, OS: s.OSType, Arch: s.Architecture,
		Confined: slices.Contains(s.SecurityOptions, "name=rootless") || slices.Contains(s.SecurityOptions, "name=userns"),
	}, nil
}

// Info says what the engine told of itself when it was connected.
func (e *Engine) Info() Info { return e.info }

// Close ends the connection. Containers that still run lose their driver.
func (e *Engine) Close() error { return e.client.Close() }
