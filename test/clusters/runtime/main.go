// A container runtime for a test, made of the server that Kubernetes generates for its runtimes. It listens on the socket that is
// named and holds one pod with a gate and an application, and as many others as the second argument says.
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

type runtime struct {
	cri.UnimplementedRuntimeServiceServer
	sandboxes  []*cri.PodSandbox
	containers []*cri.Container
}

func main() {
	others, err := strconv.Atoi(os.Args[2])
	check(err)
	held := &runtime{}
	held.add("zaak-1", "gemeentecloud-gate", "app")
	for i := range others {
		held.add(fmt.Sprintf("other-%d", i), "app")
	}
	listener, err := net.Listen("unix", os.Args[1])
	check(err)
	server := grpc.NewServer()
	cri.RegisterRuntimeServiceServer(server, held)
	go func() { check(server.Serve(listener)) }()
	fmt.Println("ready")
	// Until the test lets go.
	_, _ = os.Stdin.Read(make([]byte, 1))
}

func (r *runtime) add(name string, containers ...string) {
	labels := map[string]string{"gemeentecloud.nl/active-epoch": "3.14", "app": "zaaksysteem é"}
	id := "sandbox-" + name
	r.sandboxes = append(r.sandboxes, &cri.PodSandbox{
		Id:             id,
		Metadata:       &cri.PodSandboxMetadata{Name: name, Uid: "uid-" + name, Namespace: "zaak", Attempt: 300},
		CreatedAt:      time.Now().UnixNano(),
		Labels:         labels,
		Annotations:    map[string]string{"kubernetes.io/config.source": "api"},
		RuntimeHandler: "runc",
	})
	for _, each := range containers {
		r.containers = append(r.containers, &cri.Container{
			Id:           each + "-" + name,
			PodSandboxId: id,
			Metadata:     &cri.ContainerMetadata{Name: each, Attempt: 2},
			Image:        &cri.ImageSpec{Image: "sha256:" + each, UserSpecifiedImage: "registry.test/" + each + ":1"},
			ImageRef:     "sha256:" + each,
			State:        cri.ContainerState_CONTAINER_RUNNING,
			CreatedAt:    time.Now().UnixNano(),
			Labels:       labels,
		})
	}
}

func (r *runtime) ListPodSandbox(context.Context, *cri.ListPodSandboxRequest) (*cri.ListPodSandboxResponse, error) {
	return &cri.ListPodSandboxResponse{Items: r.sandboxes}, nil
}

func (r *runtime) ListContainers(context.Context, *cri.ListContainersRequest) (*cri.ListContainersResponse, error) {
	return &cri.ListContainersResponse{Containers: r.containers}, nil
}

// Refuses a grace that is not the one of the test, so that the number is known to have come over.
func (r *runtime) StopContainer(_ context.Context, asked *cri.StopContainerRequest) (*cri.StopContainerResponse, error) {
	if asked.Timeout != 300 {
		return nil, status.Errorf(codes.InvalidArgument, "the grace is %d", asked.Timeout)
	}
	for _, each := range r.containers {
		if each.Id == asked.ContainerId {
			each.State = cri.ContainerState_CONTAINER_EXITED
			return &cri.StopContainerResponse{}, nil
		}
	}
	return nil, status.Errorf(codes.NotFound, "no container %s", asked.ContainerId)
}

func (r *runtime) StopPodSandbox(_ context.Context, asked *cri.StopPodSandboxRequest) (*cri.StopPodSandboxResponse, error) {
	for _, each := range r.sandboxes {
		if each.Id == asked.PodSandboxId {
			each.State = cri.PodSandboxState_SANDBOX_NOTREADY
		}
	}
	return &cri.StopPodSandboxResponse{}, nil
}

func (r *runtime) ExecSync(_ context.Context, asked *cri.ExecSyncRequest) (*cri.ExecSyncResponse, error) {
	switch strings.Join(asked.Cmd, " ") {
	case "touch file":
		return &cri.ExecSyncResponse{Stdout: []byte("done")}, nil
	case "hang":
		time.Sleep(time.Minute)
	}
	return &cri.ExecSyncResponse{ExitCode: 127, Stderr: []byte("not found")}, nil
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
