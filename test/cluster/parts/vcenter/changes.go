package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

const (
	// The unit in which changes are told, in bytes, and the most areas of one answer.
	unit      = 64 * 1024
	mostAreas = 2000
	everybody = "52 de c0 d9 b9 43 9d 10-61 d5 4c 1b e9 7b 65 63"
)

// changeTracking gives disks what snapshots of a real machine have, and compares the files of the stand-in for the
// library. It is an extension manager because the simulator wants each object to be of a known type.
type changeTracking struct {
	mo.ExtensionManager
	mutex   sync.Mutex
	machine *simulator.VirtualMachine
	disks   string
	// The files of change ids.
	files   map[string]string
	count   int
	tracked bool
}

func newChangeTracking(machine *simulator.VirtualMachine, disks string) *changeTracking {
	tracking := &changeTracking{machine: machine, disks: disks, files: map[string]string{}, tracked: true}
	tracking.Self = types.ManagedObjectReference{Type: "ExtensionManager", Value: "ChangeTracking"}
	if disk := diskOf(machine.Config.Hardware.Device); disk != nil {
		disk.DiskObjectId = "1-2000"
		if info, err := os.Stat(filepath.Join(disks, tracking.fileName())); err == nil {
			disk.CapacityInBytes = info.Size()
			disk.CapacityInKB = info.Size() / 1024
		}
	}
	return tracking
}

func diskOf(devices []types.BaseVirtualDevice) *types.VirtualDisk {
	for _, device := range devices {
		if disk, ok := device.(*types.VirtualDisk); ok {
			return disk
		}
	}
	return nil
}

func backingOf(disk *types.VirtualDisk) *types.VirtualDiskFlatVer2BackingInfo {
	return disk.Backing.(*types.VirtualDiskFlatVer2BackingInfo)
}

func (c *changeTracking) fileName() string {
	return backingOf(diskOf(c.machine.Config.Hardware.Device)).FileName
}

func (c *changeTracking) forget() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.tracked = false
}

// PutObject is called with each new object. A snapshot keeps the file that the machine had, and the machine goes on with
// a new one on top of it.
func (c *changeTracking) PutObject(_ *simulator.Context, object mo.Reference) {
	snapshot, ok := object.(*simulator.VirtualMachineSnapshot)
	if !ok {
		return
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.count++
	current := diskOf(c.machine.Config.Hardware.Device)
	kept := *backingOf(current)
	disk := *current
	if c.tracked {
		kept.ChangeId = fmt.Sprintf("%s/%d", everybody, c.count)
		c.files[kept.ChangeId] = fmt.Sprintf("%s@%s", kept.FileName, snapshot.Self.Value)
	}
	if info, err := os.Stat(filepath.Join(c.disks, kept.FileName)); err == nil {
		disk.CapacityInBytes = info.Size()
	}
	disk.Backing = &kept
	devices := append([]types.BaseVirtualDevice{}, snapshot.Config.Hardware.Device...)
	for index, device := range devices {
		if _, ok := device.(*types.VirtualDisk); ok {
			devices[index] = &disk
		}
	}
	snapshot.Config.Hardware.Device = devices
	delta := kept
	parent := kept
	delta.Parent = &parent
	delta.ChangeId = ""
	base, _, _ := strings.Cut(strings.TrimSuffix(kept.FileName, ".vmdk"), "-0000")
	delta.FileName = fmt.Sprintf("%s-%06d.vmdk", base, c.count)
	current.Backing = &delta
}

func (c *changeTracking) UpdateObject(*simulator.Context, mo.Reference, []types.PropertyChange) {}

func (c *changeTracking) RemoveObject(*simulator.Context, types.ManagedObjectReference) {}

// QueryChangedDiskAreas compares the file of a snapshot with that of a change id.
func (c *changeTracking) QueryChangedDiskAreas(ctx *simulator.Context, req *types.QueryChangedDiskAreas) soap.HasFault {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	body := &methods.QueryChangedDiskAreasBody{}
	snapshot, ok := ctx.Map.Get(*req.Snapshot).(*simulator.VirtualMachineSnapshot)
	if !ok {
		body.Fault_ = simulator.Fault("", &types.ManagedObjectNotFound{Obj: *req.Snapshot})
		return body
	}
	name := backingOf(diskOf(snapshot.Config.Hardware.Device)).FileName + "@" + req.Snapshot.Value
	earlier, ok := c.files[req.ChangeId]
	if !ok && req.ChangeId != "*" {
		body.Fault_ = simulator.Fault("", &types.FileFault{File: name})
		return body
	}
	info, err := c.compare(name, earlier, req.StartOffset)
	if err != nil {
		body.Fault_ = simulator.Fault(err.Error(), &types.InvalidArgument{InvalidProperty: "startOffset"})
		return body
	}
	body.Res = &types.QueryChangedDiskAreasResponse{Returnval: *info}
	return body
}

// compare tells where a file differs from another, or from zeros where that has no name.
func (c *changeTracking) compare(name, earlier string, start int64) (*types.DiskChangeInfo, error) {
	file, err := os.Open(filepath.Join(c.disks, name))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	state, err := file.Stat()
	if err != nil || start >= state.Size() {
		return nil, fmt.Errorf("%d is not within the disk", start)
	}
	var other *os.File
	if earlier != "" {
		if other, err = os.Open(filepath.Join(c.disks, earlier)); err != nil {
			return nil, err
		}
		defer other.Close()
	}
	info := &types.DiskChangeInfo{StartOffset: start, Length: state.Size() - start}
	now, before := make([]byte, unit), make([]byte, unit)
	for at := start / unit * unit; at < state.Size(); at += unit {
		count, _ := file.ReadAt(now, at)
		clear(before)
		if other != nil {
			other.ReadAt(before, at)
		}
		if bytes.Equal(now[:count], before[:count]) {
			continue
		}
		last := len(info.ChangedArea) - 1
		if last >= 0 && info.ChangedArea[last].Start+info.ChangedArea[last].Length == at {
			info.ChangedArea[last].Length += int64(count)
			continue
		}
		if last+1 == mostAreas {
			info.Length = at - start
			break
		}
		info.ChangedArea = append(info.ChangedArea, types.DiskChangeExtent{Start: at, Length: int64(count)})
	}
	return info, nil
}
