# `make check-vm` runs the functional tests in a virtual machine (README.md), a part of them with
# FUNCTIONAL="tests/functional/a.bats ...", under systemd with VM_INIT=systemd; with
# CONTRACT="cni-vlan cni-child ..." those of the CNI plugins that want drivers which few kernels have.

VM_INIT    ?= plain
FUNCTIONAL ?= $(wildcard tests/functional/*.bats)

.PHONY: check-vm
check-vm: all test-programs
	B='$(B)' VM_INIT='$(VM_INIT)' FUNCTIONAL='$(FUNCTIONAL)' CONTRACT='$(CONTRACT)' tests/vm/check-vm.sh
