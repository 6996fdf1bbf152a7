module diskpress.dev/test/cluster/vcenter

go 1.26.0

require github.com/vmware/govmomi v0.54.1

require github.com/google/uuid v1.6.0 // indirect
