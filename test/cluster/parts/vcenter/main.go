// A vCenter for the tests: the simulator of govmomi, with one virtual machine, and with what that simulator lacks for
// importing its disk in stages: delta disks, change ids and changed areas.
//
// It tells its URL, its thumbprint and its machine as a line of JSON, and then obeys the lines of its standard input:
//
//	snapshot NAME     takes a snapshot, and answers with its identifier
//	remove SNAPSHOT   removes one, and answers with its identifier
//	forget-changes    has no change ids from then on, as a machine without changed block tracking
//
// In the folder of -control, `calls` gets a line for each call where it is there, and `fail-METHOD` makes calls of this
// method fail with the fault that it names, always or so many times: `NotAuthenticated 1`.
package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/types"
)

func main() {
	listen := flag.String("address", "127.0.0.1:0", "address and port to listen on")
	user := flag.String("user", "user", "the user who may log in")
	password := flag.String("password", "password", "the user's password")
	disks := flag.String("disks", "", "folder with the disks of the stand-in for the VDDK library")
	folder := flag.String("control", "", "folder by which calls are told, and made to fail")
	flag.Parse()
	log.SetOutput(os.Stderr)

	model := simulator.VPX()
	model.Machine, model.Host, model.Cluster = 1, 1, 0
	if err := model.Create(); err != nil {
		log.Fatal(err)
	}
	defer model.Remove()
	model.Service.TLS = new(tls.Config)
	model.Service.Listen = &url.URL{Host: *listen, User: url.UserPassword(*user, *password)}
	server := model.Service.NewServer()
	defer server.Close()

	machine := model.Map().Any("VirtualMachine").(*simulator.VirtualMachine)
	changes := newChangeTracking(machine, *disks)
	model.Map().Put(changes)
	model.Map().AddHandler(changes)
	control := &control{folder: *folder}
	model.Map().Handler = control.handle(changes.Reference())

	address := *server.URL
	address.User = nil
	tell(map[string]any{
		"url":          address.String(),
		"thumbprint":   server.CertificateInfo().ThumbprintSHA1,
		"machine":      machine.Self.Value,
		"instanceUuid": machine.Config.InstanceUuid,
		"biosUuid":     machine.Config.Uuid,
		"backingFile":  changes.fileName(),
	})
	client, err := vim25.NewClient(context.Background(), model.Service)
	if err != nil {
		log.Fatal(err)
	}
	obey(client, object.NewVirtualMachine(client, machine.Self), changes)
}

func tell(answer any) {
	text, _ := json.Marshal(answer)
	fmt.Println(string(text))
}

// obey carries out what standard input says, to its end.
func obey(client *vim25.Client, machine *object.VirtualMachine, changes *changeTracking) {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		command, what, _ := strings.Cut(lines.Text(), " ")
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		answer, err := "", error(nil)
		switch command {
		case "snapshot":
			answer, err = takeSnapshot(ctx, machine, what)
		case "remove":
			answer, err = what, removeSnapshot(ctx, client, machine, what)
		case "forget-changes":
			changes.forget()
		default:
			err = fmt.Errorf("there is no command %q", command)
		}
		cancel()
		if err != nil {
			tell(map[string]any{"error": err.Error()})
		} else {
			tell(map[string]any{"snapshot": answer})
		}
	}
}

func takeSnapshot(ctx context.Context, machine *object.VirtualMachine, name string) (string, error) {
	task, err := machine.CreateSnapshot(ctx, name, "", false, false)
	if err != nil {
		return "", err
	}
	info, err := task.WaitForResult(ctx)
	if err != nil {
		return "", err
	}
	return info.Result.(types.ManagedObjectReference).Value, nil
}

func removeSnapshot(ctx context.Context, client *vim25.Client, machine *object.VirtualMachine, name string) error {
	consolidate := true
	task, err := machine.RemoveSnapshot(ctx, name, false, &consolidate)
	if err != nil {
		return err
	}
	return task.Wait(ctx)
}
