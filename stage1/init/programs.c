#include "base/str.h"
#include "stage1/init/main.h"

#ifdef __SANITIZE_ADDRESS__
/* The leak check wants to trace us, which nobody may; and our environment is empty. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

int main(int argc, char **argv)
{
	return argc > 0 && str_ends(argv[0], "monitor") ? monitor_main(argv) : init_main();
}
