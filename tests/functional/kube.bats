# Pods of Kubernetes, in YAML and JSON, as pod manifests.

load ../lib/gantry

setup_file() {
	need busybox
	suite_up
	local root=$BATS_FILE_TMPDIR/shell applet
	mkdir -p "$root"/{bin,etc,tmp,data}
	cp "$(busybox_static)" "$root/bin/busybox"
	for applet in sh cat sleep test touch echo id hostname grep ls stat env httpd; do
		ln -s busybox "$root/bin/$applet"
	done
	printf '%s\n' 'root:x:0:0::/:/bin/sh' 'bob:x:1234:1235::/:/bin/sh' >"$root/etc/passwd"
	printf '%s\n' 'root:x:0:' 'bob:x:1235:' 'staff:x:50:bob' >"$root/etc/group"
	chown -R 0:0 "$root"
	make_aci "$BATS_FILE_TMPDIR/shell.aci" example.com/shell \
		'{"exec":["/bin/echo","from","the","image"],"user":"0","group":"0","environment":[{"name":"PATH","value":"/bin"}]}' "$root"
	gantry fetch "$BATS_FILE_TMPDIR/shell.aci" >/dev/null
	SHELL_ID=sha512-$(image_key "$BATS_FILE_TMPDIR/shell.aci")
	export SHELL_ID
}
teardown_file() { suite_down; }
setup() { test_up; }
teardown() { test_down; }

# pod SPEC-TAIL: a Pod of one container "main" in $T/pod.yaml, with more lines of its spec on standard input,
# which are indented by two; the container comes first, its own lines are to be indented by four.
pod() {
	{
		printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: %s}\nspec:\n  restartPolicy: %s\n  containers:\n' "${NAME:-kube-pod}" "${RESTART:-Never}"
		printf '  - name: main\n    image: %s\n' "$SHELL_ID"
		cat
	} >"$T/pod.yaml"
}
run_yaml() { g run --net=none "$@" --pod-manifest="$T/pod.yaml"; }

@test "kube: command replaces what the image runs, args what comes behind it" {
	pod <<-'END'
	END
	run_yaml
	assert_ok
	assert_out 'from the image'
	NAME=second pod <<-'END'
		    command: [/bin/echo, a]
	END
	run_yaml
	assert_ok
	assert_out 'a'
	NAME=third pod <<-'END'
		    command: [/bin/echo]
		    args: ["b", "c"]
	END
	run_yaml
	assert_ok
	assert_out 'b c'
}

@test "kube: environment, its values in words, ConfigMaps of the same file and of others" {
	pod <<-'END'
		    command: [/bin/sh, -c, 'echo "$(A)/$B/$C/$P_X/$(NONE)"']
		    env:
		    - {name: A, value: one}
		    - {name: B, value: $(A)two}
		    - name: C
		      valueFrom: {configMapKeyRef: {name: other, key: C}}
		    envFrom:
		    - prefix: P_
		      configMapRef: {name: same}
		---
		apiVersion: v1
		kind: ConfigMap
		metadata: {name: same}
		data: {X: same}
	END
	printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\ndata: {C: other}\n' >"$T/map.yaml"
	run_yaml --configmap="$T/map.yaml"
	assert_ok
	assert_match '^one/onetwo/other/same/'
	run_yaml
	assert_refused 254 'env\[2\].*no ConfigMap "other"'
}

@test "kube: ConfigMaps have a name each, and keys that are names of files" {
	local map='apiVersion: v1\nkind: ConfigMap\nmetadata: {name: same}\ndata: {%s: x}\n'
	pod </dev/null
	printf "$map---\n$map" a b >"$T/map.yaml"
	run_yaml --configmap="$T/map.yaml"
	assert_refused 254 'there is a ConfigMap "same" already'
	for key in '"a\nb"' '"../a"' '..data' '"a b"' '""'; do
		printf "$map" "$key" >"$T/map.yaml"
		run_yaml --configmap="$T/map.yaml"
		assert_refused 254 'is no key'
	done
	printf 'apiVersion: v1\nkind: ConfigMap\ndata: {}\n' >"$T/map.yaml"
	run_yaml --configmap="$T/map.yaml"
	assert_refused 254 'without metadata.name'
}

@test "kube: variables that double each other are bounded" {
	local i
	pod <<-'END'
		    env:
		    - {name: V0, value: 0123456789}
	END
	for ((i = 1; i < 60; i++)); do echo "    - {name: V$i, value: \$(V$((i - 1)))\$(V$((i - 1)))}"; done >>"$T/pod.yaml"
	run_yaml
	assert_refused 254 'env\[1[0-9]\].*come to more than 8388608 bytes'
}

@test "kube: volumes: emptyDir, hostPath, configMap, read-only mounts" {
	echo host >"$T/file"
	pod <<-END
		    command: [/bin/sh, -c, "cat /c/a.txt /h; stat -c %a:%g /e /c/a.txt; touch /e/x; test ! -e /r/x || touch /r/y || echo read-only; touch /c/b || echo fixed; ls /i"]
		    volumeMounts:
		    - {name: e, mountPath: /e}
		    - {name: e, mountPath: /r, readOnly: true}
		    - {name: h, mountPath: /h}
		    - {name: c, mountPath: /c}
		    - {name: i, mountPath: /i}
		  securityContext: {fsGroup: 77}
		  volumes:
		  - {name: e, emptyDir: {}}
		  - {name: h, hostPath: {path: $T/file, type: File}}
		  - {name: c, configMap: {name: m, defaultMode: 0440}}
		  - {name: i, configMap: {name: m, items: [{key: b.txt, path: other}]}}
		---
		apiVersion: v1
		kind: ConfigMap
		metadata: {name: m}
		data:
		  a.txt: |
		    from a map
		  b.txt: ""
	END
	run_yaml
	assert_ok
	assert_out 'from a map' host 2777:77 440:0 read-only fixed other
}

@test "kube: hostPath: what is to be made is made when all else was accepted" {
	paths() { # MORE
		pod <<-END
			    command: [/bin/sh, -c, "echo x >/d/x; test -f /f"]
			    volumeMounts:
			    - {name: d, mountPath: /d}
			    - {name: f, mountPath: /f}
			    $1
			  volumes:
			  - {name: d, hostPath: {path: $T/dir, type: DirectoryOrCreate}}
			  - {name: f, hostPath: {path: $T/made, type: FileOrCreate}}
		END
	}
	# a member that is refused behind it, and an image that is not there
	paths '- {name: none, mountPath: /n}'
	run_yaml
	assert_status 254
	[ ! -e "$T/dir" ]
	[ ! -e "$T/made" ]
	paths ''
	sed -i "s|image: .*|image: oci:$T/nowhere|" "$T/pod.yaml"
	run_yaml
	assert_refused 254 'nowhere'
	[ ! -e "$T/dir" ]
	[ ! -e "$T/made" ]
	paths ''
	run_yaml
	assert_ok
	assert_equal "$(cat "$T/dir/x")" x
	assert_equal "$(stat -c %a:%s "$T/made")" 644:0
	# what is there stays, and must be of the kind
	echo old >"$T/made"
	NAME=second paths ''
	run_yaml
	assert_ok
	assert_equal "$(cat "$T/made")" old
	rm "$T/made"
	mkdir "$T/made"
	NAME=third paths ''
	run_yaml
	assert_refused 254 'is no FileOrCreate'
}

@test "kube: security: user and its groups, capabilities, root, privileges" {
	pod <<-'END'
		    command: [/bin/sh, -c, 'id -u; id -G; grep -E "CapBnd|NoNew|Seccomp:" /proc/self/status; touch /x || echo fixed']
		    securityContext:
		      runAsUser: 1234
		      readOnlyRootFilesystem: true
		      allowPrivilegeEscalation: false
		      capabilities: {drop: [ALL], add: [NET_BIND_SERVICE]}
		      seccompProfile: {type: Unconfined}
		  securityContext: {runAsUser: 1, runAsGroup: 9, supplementalGroups: [5, 6]}
	END
	run_yaml
	assert_ok
	assert_out 1234 '9 5 6' fixed
	assert_match 'CapBnd:.0000000000000400' 'NoNewPrivs:.1' 'Seccomp:.[02]'
}

@test "kube: resources become limits" {
	need memory
	pod <<-'END'
		    command: [/bin/sleep, "1000"]
		    resources: {limits: {memory: 48Mi, cpu: 500m}, requests: {cpu: 0.1}}
	END
	run_yaml --detach
	assert_ok
	UUID=${lines[-1]}
	if is_v1 memory; then
		assert_equal "$(cat "$(controller_dir memory)/gantry/$UUID/main/memory.limit_in_bytes")" $((48 << 20))
	else
		assert_equal "$(cat "$(controller_dir memory)/gantry/$UUID/main/memory.max")" $((48 << 20))
	fi
}

@test "kube: the pod has its name, its host name and its labels" {
	pod <<-'END'
		    command: [/bin/hostname]
	END
	sed -i 's/metadata: {name: kube-pod}/metadata: {name: kube-pod, labels: {app: web}}/' "$T/pod.yaml"
	run_yaml
	assert_ok
	assert_out kube-pod
	g status --format=json kube-pod
	assert_json '.pod_name == "kube-pod" and .user_labels.app == "web"'
}

@test "kube: init containers run first; the pod goes by its restart policy" {
	RESTART=OnFailure pod <<-END
		    command: [/bin/sh, -c, "cat /s/log; test -e /s/again || { touch /s/again; exit 3; }"]
		    volumeMounts: [{name: s, mountPath: /s}]
		  initContainers:
		  - name: first
		    image: $SHELL_ID
		    command: [/bin/sh, -c, "echo first >>/s/log"]
		    volumeMounts: [{name: s, mountPath: /s}]
		  volumes: [{name: s, emptyDir: {}}]
	END
	run_yaml
	assert_ok
	assert_equal "$(grep -c 'main: first' "$T/out")" 2
}

@test "kube: probes by the names of ports" {
	pod <<-'END'
		    command: [/bin/httpd, -f, -p, "8080", -h, /]
		    ports: [{name: http, containerPort: 8080}]
		    readinessProbe: {httpGet: {port: http, path: /etc/passwd}, periodSeconds: 1, timeoutSeconds: 20}
	END
	run_yaml --detach
	assert_ok
	wait_for 60 sh -c "gantry=\$1; \"\$gantry\" --dir='$DATA' status kube-pod | grep -q app-main-ready=true" sh "$GANTRY"
}

@test "kube: ports of the host" {
	need veth nft
	pod <<-'END'
		    command: [/bin/httpd, -f, -p, "8080", -h, /data]
		    ports: [{containerPort: 8080, hostPort: 18080}]
	END
	in_world true
	g run --detach --pod-manifest="$T/pod.yaml"
	assert_ok
	wait_for 60 in_world nc -z 127.0.0.1 18080
}

@test "kube: JSON is taken as well; prepare makes the same pod" {
	printf '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"json-pod"},"spec":{"restartPolicy":"Never","containers":[
		{"name":"main","image":"%s","args":["x"],"command":["/bin/echo"]}]}}' "$SHELL_ID" >"$T/pod.json"
	g prepare --quiet --pod-manifest="$T/pod.json"
	assert_ok
	g run-prepared --net=none json-pod
	assert_ok
	assert_out x
}

@test "kube: what is not known is refused by its name, and nothing stays" {
	pod <<-'END'
		    lifecycle: {preStop: {exec: {command: [x]}}}
	END
	run_yaml
	assert_refused 254 'spec\.containers\[0\].*lifecycle'
	pod <<-'END'
		  nodeSelector: {a: b}
	END
	run_yaml
	assert_refused 254 'spec.*nodeSelector'
	printf 'a: &x 1\nb: *x\n' >"$T/pod.yaml"
	run_yaml
	assert_refused 254 'pod.yaml: line 1.*anchors'
	printf 'apiVersion: apps/v1\nkind: Deployment\n' >"$T/pod.yaml"
	run_yaml
	assert_refused 254 'Deployment'
	pod <<-'END'
		    image: twice
	END
	run_yaml
	assert_refused 254 'line 9.*"image" is there twice'
	g run --configmap="$T/pod.yaml" "$PROBE_ID"
	assert_refused 254 'configmap'
	g list --no-legend
	assert_equal "$(cat "$T/out")" ''
}

@test "kube: hostNetwork is the host's network, for run only" {
	pod <<-'END'
		    command: [/bin/echo, x]
		  hostNetwork: true
	END
	g run --pod-manifest="$T/pod.yaml"
	assert_ok
	g prepare --pod-manifest="$T/pod.yaml"
	assert_refused 254 'hostNetwork'
}

@test "kube: what kubectl prints of a Pod runs as it is; what asks for more is refused by name" {
	pod <<-'END'
		    command: [/bin/echo, printed]
		    terminationMessagePath: /dev/termination-log
		    terminationMessagePolicy: File
		    resources: {}
		  dnsPolicy: ClusterFirst
		  enableServiceLinks: true
		  nodeName: node-1
		  preemptionPolicy: PreemptLowerPriority
		  priority: 0
		  schedulerName: default-scheduler
		  securityContext: {}
		  serviceAccount: default
		  serviceAccountName: default
		  automountServiceAccountToken: false
		  terminationGracePeriodSeconds: 30
		  tolerations:
		  - {effect: NoExecute, key: node.kubernetes.io/not-ready, operator: Exists, tolerationSeconds: 300}
		status: {phase: Running, podIP: 10.0.0.1}
	END
	run_yaml
	assert_ok
	assert_out 'printed'
	NAME=other pod <<-'END'
		  dnsPolicy: None
	END
	run_yaml
	assert_refused 254 'spec\.dnsPolicy: "None" is not supported: see --dns'
	NAME=other pod <<-'END'
		  priority: 1000
	END
	run_yaml
	assert_refused 254 'spec\.priority: "1000" is not supported: there is no scheduler'
}

@test "kube: dnsPolicy Default is the host's resolv.conf, but for --dns" {
	NAME=dns-a pod <<-'END'
		    command: [/bin/cat, /etc/resolv.conf]
		  dnsPolicy: Default
	END
	run_yaml
	assert_ok
	assert_equal "$output" "$(cat /etc/resolv.conf)"
	g prepare --pod-manifest="$T/pod.yaml"
	assert_refused 254 'spec\.dnsPolicy Default'
	sed -i 's/dns-a/dns-b/' "$T/pod.yaml"
	run_yaml --dns=192.0.2.7
	assert_ok
	assert_equal "$(grep -c '^nameserver 192.0.2.7$' <<<"$output")" 1
}
