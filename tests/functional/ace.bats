# What the specification's own pair of validator images asks of an executor, with images of our own.

load ../lib/gantry

setup_file() { suite_up; }
teardown_file() { suite_down; }
setup() { test_up; }
teardown() { test_down; }

# the two share the volume "database": one writes, one reads
images() {
	cp -a "$FIX/root" "$T/root"
	mkdir -p "$T/root/opt/acvalidator"
	make_aci "$T/main.aci" example.com/ace-main "{\"exec\":[\"/probe\",\"cat\",\"/prestart\",\",\",\"env\",\"PATH\",\"IN_ACE_VALIDATOR\",\"AC_APP_NAME\",\"container\",\",\",\"cwd\",\",\",\"mount\",\"/db\",\",\",\"write\",\"/db/testfile\",\"ok\",\",\",\"await\",\"/db/seen\"],
		\"user\":\"0\",\"group\":\"0\",\"workingDirectory\":\"/opt/acvalidator\",
		\"environment\":[{\"name\":\"IN_ACE_VALIDATOR\",\"value\":\"correct\"}],
		\"eventHandlers\":[{\"name\":\"pre-start\",\"exec\":[\"/probe\",\"write\",\"/prestart\",\"done\"]},{\"name\":\"post-stop\",\"exec\":[\"/probe\",\"out\",\"poststop\",\",\",\"cat\",\"/prestart\"]}],
		\"mountPoints\":[{\"name\":\"database\",\"path\":\"/db\",\"readOnly\":false}]}" "$T/root"
	make_aci "$T/side.aci" example.com/ace-sidekick "{\"exec\":[\"/probe\",\"await\",\"/db/testfile\",\",\",\"cat\",\"/db/testfile\",\",\",\"mount\",\"/db\",\",\",\"write\",\"/db/no\",\"x\",\",\",\"env\",\"AC_APP_NAME\",\",\",\"write\",\"/flag/seen\",\"x\"],
		\"user\":\"0\",\"group\":\"0\",\"mountPoints\":[{\"name\":\"database\",\"path\":\"/db\",\"readOnly\":true},{\"name\":\"flag\",\"path\":\"/flag\"}]}" "$T/root"
}

@test "ace: pre-start, environment, directory, shared volume and post-stop of two apps" {
	need ns-flavor
	images
	mkdir "$T/db"
	g run --net=none --volume="database,kind=host,source=$T/db" --volume="flag,kind=host,source=$T/db" \
		"$T/main.aci" "$T/side.aci"
	assert_ok
	assert_out 'ace-main: donePATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
		'ace-main: IN_ACE_VALIDATOR=correct' 'ace-main: AC_APP_NAME=ace-main' 'ace-main: cwd=/opt/acvalidator' \
		'ace-sidekick: AC_APP_NAME=ace-sidekick' 'ace-sidekick: write /db/no=EROFS' 'ace-main: write /db/testfile=ok' \
		'ace-main: poststop'
	# the file may be seen before its content is there
	assert_match '^ace-main: container=.' '^ace-main: mount /db=[a-z0-9]+ rw' '^ace-sidekick: (ok)?mount /db=[a-z0-9]+ ro'
	# the handlers around it
	[ "$(grep -n 'write /prestart=ok' "$T/out" | cut -d: -f1)" -lt "$(grep -n 'IN_ACE' "$T/out" | cut -d: -f1)" ] ||
		fail "the handler was late"
	[ "$(grep -n 'poststop' "$T/out" | cut -d: -f1)" -gt "$(grep -n 'write /db/testfile=ok' "$T/out" | cut -d: -f1)" ] ||
		fail "the handler was early"
}

