# As many ports as a host has can be forwarded to one pod; one more is refused by its limit.

load ../lib/gantry

setup_file() {
	need veth nft
	suite_up
}
teardown_file() { suite_down; }
setup() {
	test_up
	make_aci "$T/web.aci" example.com/web '{"exec":["/probe","hostname"],"user":"0","group":"0","ports":[
		{"name":"web","protocol":"tcp","port":1000,"count":60000},{"name":"dns","protocol":"udp","port":1000,"count":5535},
		{"name":"one","protocol":"udp","port":9000}]}' "$FIX/root"
}
teardown() { test_down; }

@test "ports: 65535 of them" {
	leak_snapshot
	g run --net=default --port=web:1000 --port=dns:192.0.2.1:1000 "$T/web.aci"
	assert_ok
	collect_all
	assert_no_leaks
}

@test "ports: one more is refused by its limit" {
	leak_snapshot
	g run --net=default --port=web:1000 --port=dns:192.0.2.1:1000 --port=one:9000 "$T/web.aci"
	assert_refused 254 'more than 65535 ports to forward'
	collect_all
	assert_no_leaks
}
