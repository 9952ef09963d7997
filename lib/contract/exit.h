/*
 * Exit statuses of gantry; they are rkt's, because scripts look at them.
 */
#pragma once

enum exit_code {
	EXIT_OK = 0,
	EXIT_UUID_FILE = 1, /* status, stop: --uuid-file cannot be read */
	EXIT_ESCAPED = 1,   /* run --interactive: ended by Ctrl-] three times */
	EXIT_USAGE = 2,	    /* no command at all */
	EXIT_EXEC = 203,    /* an app's program could not be executed (recorded as the app's status) */
	EXIT_FAILED = 254,  /* nearly every failure; the message says which */
	/* else: the first failing app's own status, or 128 + signal */
	EXIT_SIGNAL = 128,
};
