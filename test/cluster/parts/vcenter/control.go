package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// control tells which calls there are, and makes them fail.
type control struct {
	mutex  sync.Mutex
	folder string
}

// handle returns what the simulator asks before each call. What it has no method for goes to the object that has.
func (c *control) handle(tracker types.ManagedObjectReference) func(*simulator.Context, *simulator.Method) (mo.Reference, types.BaseMethodFault) {
	return func(_ *simulator.Context, method *simulator.Method) (mo.Reference, types.BaseMethodFault) {
		c.mutex.Lock()
		defer c.mutex.Unlock()
		c.log(method.Name)
		if fault := c.fault(method.Name); fault != nil {
			return nil, fault
		}
		if method.Name == "QueryChangedDiskAreas" {
			method.This = tracker
		}
		return nil, nil
	}
}

func (c *control) log(method string) {
	file, err := os.OpenFile(filepath.Join(c.folder, "calls"), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return
	}
	defer file.Close()
	fmt.Fprintln(file, method)
}

func (c *control) fault(method string) types.BaseMethodFault {
	path := filepath.Join(c.folder, "fail-"+method)
	text, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	fields := strings.Fields(string(text))
	if len(fields) > 1 {
		times, _ := strconv.Atoi(fields[1])
		if times <= 1 {
			os.Remove(path)
		} else {
			os.WriteFile(path, []byte(fmt.Sprintf("%s %d", fields[0], times-1)), 0o600)
		}
	}
	switch fields[0] {
	case "NotAuthenticated":
		return &types.NotAuthenticated{}
	case "NoPermission":
		return &types.NoPermission{PrivilegeId: "VirtualMachine.Provisioning.DiskRandomRead"}
	case "FileFault":
		return &types.FileFault{File: "disk-ctk.vmdk"}
	default:
		return &types.HostCommunication{}
	}
}
