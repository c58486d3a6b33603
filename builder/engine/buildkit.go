package engine

import (
	"context"
	"fmt"
	"io"
	"net"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/frontend/dockerfile/builder"
	"github.com/moby/buildkit/util/bklog"
	"github.com/sirupsen/logrus"
	"github.com/tonistiigi/fsutil"
)

// solve runs a Dockerfile in the engine's BuildKit, with the front end that is
// compiled into this program instead of the engine's. So an old engine
// understands new Dockerfiles, and no front end is pulled.
func (e *Engine) solve(ctx context.Context, s ImageSpec, key string, export client.ExportEntry, progress func(ImageProgress)) error {
	ctx = bklog.WithLogger(ctx, discardLogger())
	c, err := client.New(ctx, "", client.WithContextDialer(e.dialBuildKit), client.WithSessionDialer(e.dialSession))
	if err != nil {
		return fmt.Errorf("connecting to BuildKit: %w", err)
	}
	defer c.Close()
	w := newWatch(s.Name, progress)
	statuses := make(chan *client.SolveStatus)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		for status := range statuses {
			w.update(status)
		}
	}()
	_, err = c.Build(ctx, solveOptions(s, key, export), "", builder.Build, statuses)
	<-watched
	if ctx.Err() != nil {
		return fmt.Errorf("building image %s: %w", s.Name, context.Cause(ctx))
	}
	return w.explain(err)
}

func solveOptions(s ImageSpec, key string, export client.ExportEntry) client.SolveOpt {
	files := contextFS{s}
	return client.SolveOpt{
		Exports:     []client.ExportEntry{export},
		LocalMounts: map[string]fsutil.FS{"context": files, "dockerfile": files},
		// BuildKit keeps the files it received under this key, and asks only for
		// those whose size or time has changed. All times are 0 here, so other
		// contents need another key.
		SharedKey:     key,
		FrontendAttrs: frontendAttrs(s),
	}
}

func frontendAttrs(s ImageSpec) map[string]string {
	attrs := map[string]string{
		"filename": s.Dockerfile,
		// With it the front end ignores a `# syntax=` line, which would make
		// it pull another front end.
		"cmdline": "",
		// With it two builds have the same creation times, and with equal files
		// the same image ID.
		"build-arg:SOURCE_DATE_EPOCH": "0",
	}
	if s.NoCache {
		attrs["no-cache"] = "" // every stage
	}
	for name, value := range s.Args {
		attrs["build-arg:"+name] = value
	}
	return attrs
}

func (e *Engine) dialBuildKit(ctx context.Context, _ string) (net.Conn, error) {
	return e.client.DialHijack(ctx, "/grpc", "h2c", nil)
}

func (e *Engine) dialSession(ctx context.Context, proto string, meta map[string][]string) (net.Conn, error) {
	return e.client.DialHijack(ctx, "/session", proto, meta)
}

// discardLogger returns a logger that keeps BuildKit's client from writing to
// stderr.
func discardLogger() *logrus.Entry {
	l := logrus.New()
	l.SetOutput(io.Discard)
	return logrus.NewEntry(l)
}
