#include "base/str.h"
#include "stage1/init/main.h"

int main(int argc, char **argv)
{
	return argc > 0 && str_ends(argv[0], "monitor") ? monitor_main(argv) : init_main();
}
