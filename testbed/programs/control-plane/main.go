// control-plane is etcd, kube-apiserver and kube-controller-manager in one binary, each by the name of a link to it, or
//
//	control-plane etcd|kube-apiserver|kube-controller-manager [flags of that program]
//	control-plane kube-apiserver --hidden-path=/apis/GROUP/VERSION/RESOURCE [flags of that program]
//
// Outside of pods, each ends when its standard input ends: whoever started it holds the other end of that pipe, so no server
// outlives its owner, not even one that was killed.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"go.etcd.io/etcd/server/v3/etcdmain"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/component-base/cli"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	"k8s.io/kubernetes/cmd/kube-apiserver/app/options"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
)

// hiddenFlag is one of this program, and comes first.
const hiddenFlag = "--hidden-path="

func main() {
	if _, isPod := os.LookupEnv("BED_POD_IP"); !isPod {
		go endWithOwner()
	}
	name := filepath.Base(os.Args[0])
	if name == "control-plane" && len(os.Args) > 1 {
		name = os.Args[1]
		os.Args = os.Args[1:]
	}
	switch name {
	case "etcd":
		etcdmain.Main(os.Args)
	case "kube-apiserver":
		if len(os.Args) > 1 && strings.HasPrefix(os.Args[1], hiddenFlag) {
			os.Exit(serveWithout(strings.TrimPrefix(os.Args[1], hiddenFlag), os.Args[2:]))
		}
		os.Exit(cli.Run(apiserver.NewAPIServerCommand()))
	case "kube-controller-manager":
		os.Exit(cli.Run(controllermanager.NewControllerManagerCommand()))
	default:
		usage()
	}
}

// serveWithout runs a kube-apiserver that answers 404 below a path to users, and does not name it to them. Controllers cannot do without what discovery names.
func serveWithout(hidden string, args []string) int {
	ctx := genericapiserver.SetupSignalContext()
	s := options.NewServerRunOptions()
	flags := pflag.NewFlagSet("kube-apiserver", pflag.ExitOnError)
	for _, set := range s.Flags().FlagSets {
		flags.AddFlagSet(set)
	}
	_ = flags.Parse(args)
	if err := run(ctx, s, hidden); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func run(ctx context.Context, s *options.ServerRunOptions, hidden string) error {
	if err := s.GenericServerRunOptions.ComponentGlobalsRegistry.Set(); err != nil {
		return err
	}
	completed, err := s.Complete(ctx)
	if err != nil {
		return err
	}
	if errs := completed.Validate(); len(errs) != 0 {
		return errors.Join(errs...)
	}
	config, err := apiserver.NewConfig(completed)
	if err != nil {
		return err
	}
	complete, err := config.Complete()
	if err != nil {
		return err
	}
	server, err := apiserver.CreateServerChain(complete)
	if err != nil {
		return err
	}
	handler := server.GenericAPIServer.Handler
	inner := handler.FullHandlerChain
	handler.FullHandlerChain = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !isOfUser(r.UserAgent()):
			inner.ServeHTTP(w, r)
		case strings.HasPrefix(r.URL.Path, hidden):
			http.NotFound(w, r)
		case r.URL.Path == path.Dir(hidden), r.URL.Path == "/apis":
			discoverWithout(path.Base(hidden), inner, w, r)
		default:
			inner.ServeHTTP(w, r)
		}
	})
	prepared, err := server.PrepareRun()
	if err != nil {
		return err
	}
	return prepared.Run(ctx)
}

// discoverWithout answers what the server has, without the resources whose names begin so.
func discoverWithout(prefix string, inner http.Handler, w http.ResponseWriter, r *http.Request) {
	r.Header.Del("Accept-Encoding")
	answer := httptest.NewRecorder()
	inner.ServeHTTP(answer, r)
	body := answer.Body.Bytes()
	var list any
	if json.Unmarshal(body, &list) == nil {
		body, _ = json.Marshal(without(prefix, list))
	}
	for name, values := range answer.Header() {
		if name != "Content-Length" && name != "Etag" {
			w.Header()[name] = values
		}
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(body)
}

// without removes resources from lists: `name` in those of one version, `resource` in those of all groups.
func without(prefix string, value any) any {
	switch typed := value.(type) {
	case map[string]any:
		for key, each := range typed {
			typed[key] = without(prefix, each)
		}
	case []any:
		kept := slices.DeleteFunc(typed, func(each any) bool {
			fields, _ := each.(map[string]any)
			name, _ := fields["name"].(string)
			resource, _ := fields["resource"].(string)
			return strings.HasPrefix(name, prefix) || strings.HasPrefix(resource, prefix)
		})
		for index, each := range kept {
			kept[index] = without(prefix, each)
		}
		return kept
	}
	return value
}

func isOfUser(agent string) bool {
	return strings.HasPrefix(agent, "stellarctl") || strings.HasPrefix(agent, "kubectl/")
}

// endWithOwner ends the process at once: a graceful shutdown takes seconds and would save nothing that is kept.
func endWithOwner() {
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: control-plane etcd|kube-apiserver|kube-controller-manager [flags]")
	os.Exit(2)
}
