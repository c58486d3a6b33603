// Package engine builds images and runs containers on a Docker engine. It is
// the only package that imports Docker and BuildKit.
//
// [Connect] finds the engine that the docker command would use and returns an
// [Engine]. [Engine.EnsureImage] turns a Dockerfile into an image, and
// [Engine.Export] turns one into a folder of files. [Engine.Create] turns an
// image into a [Container] without network and privileges, which runs once:
// Upload unpacks a tar into its topdir, Run runs its command, Export returns a
// part of the topdir as a tar, and Remove removes everything that belongs to it.
//
// Everything goes over the Docker API (1.41, engine 20.10, and later), and no
// path of this machine is mounted, so a remote engine works like a local one.
//
// The process that creates a container is its driver. Containers and volumes
// carry a label that names their driver. The driver keeps the stdin of its
// containers open, and their programs end when stdin does, so that none outlives
// a driver that was killed. [Engine.Sweep] removes what such drivers left.
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

// connectTimeout limits the first requests to an engine, so that a firewall that
// drops packets does not look like a long build.
const connectTimeout = 30 * time.Second

// Options are the choices of one connection.
type Options struct {
	// Prefix is the first part of every image's name: "namibuild".
	Prefix string
	// Entropy is "rngd" to start rngd even where the kernel's /dev/random does not
	// block, and otherwise empty. See [Container.Entropy].
	Entropy string
}

// Engine is a connection to one Docker engine. It is safe for concurrent use.
type Engine struct {
	client *client.Client
	prefix string
	info   Info
	owner  owner
	// forceRngd starts rngd even where the kernel does not need it.
	forceRngd bool
}

// Info describes an engine.
type Info struct {
	// Host is the engine's address, such as unix:///var/run/docker.sock.
	Host string
	// Version is the engine's version, APIVersion that of the API in use.
	Version, APIVersion string
	CPUs                int
	// Memory is in bytes.
	Memory   int64
	OS, Arch string
	// Kernel is the kernel's version, such as 5.14.0-503.el9.x86_64.
	Kernel string
	// Confined reports whether containers run in a user namespace (rootless,
	// userns-remap), where root has fewer rights.
	Confined bool
}

// Connect connects to the engine that the docker command would use: that of
// DOCKER_HOST (unix, tcp or ssh), of DOCKER_CONTEXT, of the docker command's
// current context, or of the local socket. It returns an *UnreachableError or a
// *TooOldError where that is the cause. The caller closes the Engine.
func Connect(ctx context.Context, o Options) (*Engine, error) {
	if !imageName.MatchString(o.Prefix) {
		return nil, fmt.Errorf("connecting to the engine: image prefix %q: want lower-case letters, digits, dots and dashes", o.Prefix)
	}
	if o.Entropy != "" && o.Entropy != "rngd" {
		return nil, fmt.Errorf("connecting to the engine: entropy %q: want rngd or nothing", o.Entropy)
	}
	owner, err := thisProcess()
	if err != nil {
		return nil, fmt.Errorf("naming this process: %w", err)
	}
	c, host, err := newClient()
	if err != nil {
		return nil, err
	}
	info, err := handshake(ctx, c, host)
	if err != nil {
		c.Close()
		return nil, err
	}
	return &Engine{client: c, prefix: o.Prefix, info: info, owner: owner, forceRngd: o.Entropy == "rngd"}, nil
}

// handshake negotiates the API version and returns what the engine is.
func handshake(ctx context.Context, c *client.Client, host string) (Info, error) {
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
		CPUs: s.NCPU, Memory: s.MemTotal, OS: s.OSType, Arch: s.Architecture, Kernel: s.KernelVersion,
		Confined: slices.Contains(s.SecurityOptions, "name=rootless") || slices.Contains(s.SecurityOptions, "name=userns"),
	}, nil
}

// Info returns what the engine was when Connect asked it.
func (e *Engine) Info() Info { return e.info }

// Close closes the connection. The programs of containers that still run end.
func (e *Engine) Close() error { return e.client.Close() }
