# What an app starts with: command line, search path, environment, user and groups, working directory.

load ../lib/gantry

setup_file() { suite_up; }
teardown_file() { suite_down; }
setup() { test_up; }
teardown() { test_down; }

@test "app: arguments come as they were given" {
	run_probe -- args one 'two words' '$HOME' 'a"b' "tab	x" -x --yes=no
	assert_ok
	assert_out argc=7 'arg[0]=one' 'arg[1]=two words' 'arg[2]=$HOME' 'arg[3]=a"b' "arg[4]=tab	x" 'arg[5]=-x' 'arg[6]=--yes=no'
}

@test "app: words after -- are appended to the image's command" {
	make_aci "$T/e.aci" example.com/e '{"exec":["/probe","args","first"],"user":"0","group":"0"}'
	g run --net=none "$T/e.aci" -- second third
	assert_ok
	assert_out argc=3 'arg[0]=first' 'arg[1]=second' 'arg[2]=third'
}

@test "app: --exec replaces the image's command" {
	make_aci "$T/e.aci" example.com/e '{"exec":["/probe","args","first"],"user":"0","group":"0"}'
	g run --net=none "$T/e.aci" --exec=/usr/bin/probe-in-path -- args mine
	assert_ok
	assert_out argc=1 'arg[0]=mine'
}

@test "app: an image without an app section needs --exec" {
	make_aci "$T/none.aci" example.com/none ''
	g run --net=none "$T/none.aci"
	assert_refused 254 exec
	g run --net=none "$T/none.aci" --exec=/probe -- id
	assert_ok
	assert_out uid=0/0/0
}

@test "app: a name without / is searched in PATH" {
	run_probe --exec=probe-in-path -- out found
	assert_ok
	assert_out found
	run_probe --exec=probe-link -- out found
	assert_ok
	assert_out found
}

@test "app: the search uses the app's own PATH" {
	run_probe --exec=probe --environment=PATH=/nowhere:/ -- out found
	assert_ok
	assert_out found
	run_probe --exec=probe --environment=PATH=/srv/data -- out x
	assert_refused 203 'app probe: ' 'Unable to open "probe"'
}

@test "app: a command that is not there is named, with app and reason, and is status 203" {
	run_probe --exec=/foo-not-there -- x
	assert_refused 203 '^gantry: run: app probe: ' 'Error: Unable to open "/foo-not-there": No such file or directory'
	run_probe '--exec=/foo not there' -- x
	assert_refused 203 'Error: Unable to open "/foo not there": No such file or directory'
	run_probe --exec=/srv/data/from-image -- x
	assert_refused 203 'app probe: ' '/srv/data/from-image' 'Permission denied'
	run_probe --exec=/srv -- x
	assert_refused 203 'app probe: ' '"/srv"' 'Permission denied|Is a directory'
	run_probe --exec=not-in-path -- x
	assert_refused 203 'app probe: ' not-in-path 'No such file or directory'
}

@test "app: a script whose interpreter is missing is explained" {
	cp -a "$FIX/root" "$T/root"
	printf '#!/no/interpreter\n' >"$T/root/script"
	chmod 755 "$T/root/script"
	probe_image script '' "$T/root"
	g run --net=none "$ID" --exec=/script
	assert_refused 203 'app script: ' 'No such file or directory'
}

@test "app: the failure of one app ends the pod of two, and says which" {
	need ns-flavor
	g run --net=none "$PROBE_ID" --name=fine -- pause --- "$PROBE_ID" --name=broken --exec=/not-there
	assert_refused 203 'app broken: .*/not-there'
}

@test "app: a program of garbage is refused by the kernel and named" {
	cp -a "$FIX/root" "$T/root"
	head -c 4096 /dev/zero >"$T/root/zeros"
	chmod 755 "$T/root/zeros"
	probe_image zeros '' "$T/root"
	g run --net=none "$ID" --exec=/zeros
	assert_refused 203 'app zeros: ' /zeros '[Ee]xec format error'
}

# --- environment

@test "app: the environment is the specification's and nothing of the caller's" {
	export SECRET_OF_HOST=1
	run_probe -- env
	assert_ok
	refute_match SECRET_OF_HOST
	refute_match '^(GANTRY|RKT|BATS|LD)_'
	assert_out PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin AC_APP_NAME=probe
	assert_match '^container='
	assert_out SHELL=/bin/sh USER=root LOGNAME=root HOME=/root
}

@test "app: --inherit-env passes the caller's, below everything else" {
	export FROM_CALLER=caller BOTH=caller
	make_aci "$T/env.aci" example.com/env '{"exec":["/probe"],"user":"0","group":"0","environment":[{"name":"BOTH","value":"image"}]}'
	g run --net=none --inherit-env "$T/env.aci" -- env FROM_CALLER BOTH
	assert_ok
	assert_out FROM_CALLER=caller BOTH=image
}

@test "app: order of image, --set-env-file, --set-env and --environment" {
	make_aci "$T/env.aci" example.com/env '{"exec":["/probe"],"user":"0","group":"0","environment":[{"name":"A","value":"image"},{"name":"B","value":"image"},{"name":"C","value":"image"},{"name":"D","value":"image"}]}'
	printf '%s\n' '# comment' '; another' '' B=file C=file D=file 'E=with = sign' >"$T/envfile"
	g run --net=none --set-env-file="$T/envfile" --set-env=C=flag --set-env=D=flag "$T/env.aci" \
		--environment=D=app -- env A B C D E
	assert_ok
	assert_out A=image B=file C=flag 'E=with = sign' D=app
}

@test "app: an environment file with a broken line or a key twice is refused" {
	echo broken >"$T/envfile"
	g run --net=none --set-env-file="$T/envfile" "$PROBE_ID" -- id
	assert_refused 254 broken
	printf 'A=1\nA=2\n' >"$T/envfile"
	g run --net=none --set-env-file="$T/envfile" "$PROBE_ID" -- id
	assert_refused 254 '\bA\b'
	g run --net=none --set-env-file="$T/no-such-file" "$PROBE_ID" -- id
	assert_refused 254 no-such-file 'No such file'
}

@test "app: --set-env twice for one key, or without =, is refused" {
	g run --net=none --set-env=A=1 --set-env=A=2 "$PROBE_ID" -- id
	assert_refused 254 set-env '\bA\b'
	g run --net=none --set-env=A "$PROBE_ID" -- id
	assert_refused 254 set-env '\bA\b'
}

@test "app: --environment is for one app only" {
	need ns-flavor
	g run --net=none "$PROBE_ID" --name=one --environment=X=1 -- env X --- "$PROBE_ID" --name=two -- env X
	assert_ok
	assert_out 'one: X=1' 'two: X is unset'
}

# --- user and group

@test "app: root by default, with no supplementary groups" {
	run_probe -- id
	assert_ok
	assert_out uid=0/0/0 gid=0/0/0
	assert_match '^groups=(0)?$'
}

@test "app: numeric user and group" {
	run_probe --user=4000 --group=4001 -- id
	assert_ok
	assert_out uid=4000/4000/4000 gid=4001/4001/4001
}

@test "app: names are looked up in the image" {
	run_probe --user=bob --group=staff -- id
	assert_ok
	assert_out uid=1234/1234/1234 gid=50/50/50
}

@test "app: a name of digits in the image comes before the number" {
	run_probe --user=4242 --group=4243 -- id
	assert_ok
	assert_out uid=77/77/77 gid=79/79/79
}

@test "app: /path means the owner of that file" {
	run_probe --user=/home/bob --group=/home/bob -- id
	assert_ok
	assert_out uid=1234/1234/1234 gid=1234/1234/1234
}

@test "app: root is there in an image without a file that says so" {
	cp -a "$FIX/root" "$T/root"
	rm "$T/root/etc/passwd" "$T/root/etc/group"
	probe_image bare '' "$T/root"
	g run --net=none "$ID" --user=root --group=root -- id
	assert_ok
	assert_out uid=0/0/0 gid=0/0/0
	g run --net=none "$ID" --user=bob -- id
	assert_refused 254 '"bob" user not found'
}

@test "app: unknown user, group and path are refused by name" {
	run_probe --user=nosuchuser -- id
	assert_refused 254 probe '"nosuchuser" user not found'
	run_probe --group=nosuchgroup -- id
	assert_refused 254 probe '"nosuchgroup" group not found'
	run_probe --user=/no/such/path -- id
	assert_refused 254 probe '"/no/such/path": no such file or directory'
	run_probe --user=4294967295 -- id
	assert_refused 254 probe 4294967295
	run_probe --user=12x -- id
	assert_refused 254 probe 12x
	run_probe --user=-1 -- id
	assert_refused 254 '-1'
}

@test "app: supplementary groups are exactly those asked for" {
	probe_image groups ',"supplementaryGIDs":[400,500]'
	g run --net=none "$ID" -- id
	assert_ok
	assert_match '^groups=(0 )?400 500$'
	g run --net=none "$ID" --supplementary-gids=1200,7 -- id
	assert_ok
	assert_match '^groups=.*\b1200\b'
	assert_match '^groups=.*\b7\b'
	# the groups that the image's files give to bob are not taken
	run_probe --user=bob --group=bob -- id
	assert_ok
	refute_match '^groups=.*\b(50|63)\b'
}

@test "app: passwd as a link, a fifo or a directory does not reach the host or hang" {
	cp -a "$FIX/root" "$T/root"
	rm "$T/root/etc/passwd"
	ln -s /proc/self/root/../../etc/passwd "$T/root/etc/passwd"
	probe_image link '' "$T/root"
	g run --net=none "$ID" --user=daemon -- id
	assert_refused 254 'app link: user: '
	rm "$T/root/etc/passwd"
	mkdir "$T/root/etc/passwd"
	probe_image dir '' "$T/root"
	g run --net=none "$ID" --user=bob -- id
	assert_refused 254 'app dir: user: '
}

# --- working directory

@test "app: / is the working directory by default" {
	run_probe -- cwd
	assert_ok
	assert_out cwd=/
}

@test "app: --working-dir and the image's own" {
	run_probe --working-dir=/srv/data -- cwd
	assert_ok
	assert_out cwd=/srv/data
	probe_image workdir ',"workingDirectory":"/home/bob"'
	g run --net=none "$ID" -- cwd
	assert_ok
	assert_out cwd=/home/bob
	g run --net=none "$ID" --working-dir=/tmp -- cwd
	assert_ok
	assert_out cwd=/tmp
}

@test "app: a missing or relative working directory is refused" {
	run_probe --working-dir=/no/where -- cwd
	assert_refused 254 probe /no/where 'No such file or directory'
	run_probe --working-dir=relative -- cwd
	assert_refused 254 relative
}

@test "app: a working directory that leads out of the root stays inside" {
	cp -a "$FIX/root" "$T/root"
	ln -s /proc/1/root/etc "$T/root/out"
	ln -s ../../../../../srv "$T/root/up"
	probe_image out '' "$T/root"
	g run --net=none "$ID" --working-dir=/up -- cwd , ls .
	assert_ok
	assert_out cwd=/srv entry\ ./data
	g run --net=none "$ID" --working-dir=/proc/self/fd/7 -- cwd
	assert_refused 254 out
}
