// libcni itself as a program, with the words of its cnitool, which Debian does not package:
//
//	cnitool add|check|del NETWORK NETNS
//
// in NETCONFPATH, with the plugins of CNI_PATH; CNI_ARGS, CNI_IFNAME and CAP_ARGS (JSON) as there.  The container is
// CNI_CONTAINERID, else the same for each namespace.  Where cached results are kept is CNI_CACHE (cnitool: fixed).
//
//	cnitool cached NETWORK NETNS
//
// shows what libcni finds there: one JSON object of config, result, args and capability args.
package main

import (
	"context"
	"crypto/sha512"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/containernetworking/cni/libcni"
)

func env(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

func runtimeConf(netns string) (*libcni.RuntimeConf, error) {
	rt := &libcni.RuntimeConf{
		ContainerID: env("CNI_CONTAINERID", fmt.Sprintf("cnitool-%x", sha512.Sum512([]byte(netns)))[:28]),
		NetNS:       netns,
		IfName:      env("CNI_IFNAME", "eth0"),
	}
	for _, pair := range strings.Split(os.Getenv("CNI_ARGS"), ";") {
		if words := strings.SplitN(pair, "=", 2); len(words) == 2 {
			rt.Args = append(rt.Args, [2]string{words[0], words[1]})
		}
	}
	if caps := os.Getenv("CAP_ARGS"); caps != "" {
		return rt, json.Unmarshal([]byte(caps), &rt.CapabilityArgs)
	}
	return rt, nil
}

func show(value interface{}) error {
	return json.NewEncoder(os.Stdout).Encode(value)
}

func cached(cni *libcni.CNIConfig, list *libcni.NetworkConfigList, rt *libcni.RuntimeConf) error {
	config, found, err := cni.GetNetworkListCachedConfig(list, rt)
	if err != nil {
		return err
	}
	if config == nil {
		return fmt.Errorf("nothing is cached")
	}
	used, err := libcni.ConfListFromBytes(config)
	if err != nil {
		return err
	}
	result, err := cni.GetNetworkListCachedResult(used, rt)
	if err != nil {
		return err
	}
	return show(map[string]interface{}{
		"config": json.RawMessage(config), "result": result, "args": found.Args, "caps": found.CapabilityArgs,
	})
}

func run(command, network, netns string) error {
	list, err := libcni.LoadConfList(env("NETCONFPATH", "/etc/cni/net.d"), network)
	if err != nil {
		return err
	}
	rt, err := runtimeConf(netns)
	if err != nil {
		return err
	}
	cni := libcni.NewCNIConfigWithCacheDir(filepath.SplitList(os.Getenv("CNI_PATH")), os.Getenv("CNI_CACHE"), nil)
	ctx := context.Background()
	switch command {
	case "add":
		result, err := cni.AddNetworkList(ctx, list, rt)
		if err != nil {
			return err
		}
		return show(result)
	case "check":
		return cni.CheckNetworkList(ctx, list, rt)
	case "del":
		return cni.DelNetworkList(ctx, list, rt)
	case "cached":
		return cached(cni, list, rt)
	}
	return fmt.Errorf("unknown command %q", command)
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: cnitool add|check|del|cached NETWORK NETNS")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
