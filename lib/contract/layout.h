/*
 * Every name below the data directory and below a pod directory, each with its one writer.
 * Relative to the data directory or to the pod directory; used with *at() calls on a descriptor.
 */
#pragma once

#define DATA_DIR "/var/lib/gantry"
#define SYSTEM_CONFIG_DIR "/usr/lib/gantry"
#define LOCAL_CONFIG_DIR "/etc/gantry"
#define RUN_DIR "/run/gantry"
/* The same for a gantry that is called as rkt. */
#define RKT_DATA_DIR "/var/lib/rkt"
#define RKT_SYSTEM_CONFIG_DIR "/usr/lib/rkt"
#define RKT_LOCAL_CONFIG_DIR "/etc/rkt"
#define RKT_RUN_DIR "/run/rkt"

/* --- run directory: metadata service --- */
#define RUN_METADATA_SOCKET "metadata-svc.sock" /* registration */
#define RUN_METADATA "metadata" /* the service's own directory: its key, what is registered */

/* --- data directory --- */
#define DATA_PODS "pods"
#define DATA_LOCKS "locks"
#define DATA_PREPARE_LOCK "locks/prepareLock"
#define DATA_USERS_LOCK "locks/usersLock" /* while ids are picked for a pod */
#define DATA_CAS_IMAGE "cas/image"
#define DATA_CAS_TREE "cas/tree"
#define DATA_CAS_TMP "cas/tmp"
#define DATA_SECCOMP "seccomp"
#define TREE_ROOTFS "rootfs" /* in cas/tree/ID */
#define DATA_POD_NAMES "names" /* in pods/: symbolic links NAME -> UUID */

/* --- pod directory: stage0 --- */
#define POD_MANIFEST "pod"
#define POD_CREATED "pod-created" /* its mtime; in it, what lists show (stage0/pod/brief.h) */
#define POD_NAME "name" /* --pod-name */
#define POD_STAGE1 "stage1"
#define POD_STAGE1_TREE_ID "stage1TreeStoreID"	/* of a stage1 that is an image */
#define POD_STAGE1_MANIFEST "stage1-manifest"	/* then: a copy of its manifest */
#define POD_OVERLAY "overlay-prepared"
#define POD_PRIVATE_USERS "private-users-prepared" /* contract/id_map.h: the pod's ids on the host */
#define POD_APPSINFO "appsinfo"
#define POD_MDS "mds-registered" /* contract/metadata.h */
#define APP_MANIFEST "manifest"	      /* in appsinfo/APP */
#define APP_TREE_ID "treeStoreID"     /* in appsinfo/APP */
#define APP_ROOTFS "rootfs"	      /* in appsinfo/APP: the copy where there is no overlay */

/* --- pod directory: stage1/run --- */
#define APP_UPPER "upper"
#define APP_WORK "work"
#define APP_RECORD "record"
#define APP_SECCOMP "seccomp"
#define POD_VOLUMES "sharedVolumes"
#define POD_ETC "etc"
#define POD_CGROUP "cgroup"
#define POD_CGROUP_MAX (16u << 20) /* bytes; a pod manifest's limit bounds the apps far below */
#define POD_PID "pid"
#define POD_STOP_TIMEOUT "stop-timeout" /* ms between TERM and KILL, where the manifest says */
/* The control group of PID 1 beside those of the apps: no AC Name, so no app's. */
#define POD_INIT_LEAF "_init"
/* Of an app: its name; but on cgroup v1 every group has a file `tasks`. */
static inline const char *pod_leaf(const char *app)
{
	return __builtin_strcmp(app, "tasks") ? app : "_tasks";
}
#define POD_PPID "ppid" /* of a stage1 of rkt's contract: the pid of the first process's parent */
#define POD_RUNTIME_CONFIG "runtime-config"

/* --- pod directory: stage1/init --- */
#define POD_STATUS "status"   /* status/APP */
#define POD_STARTED "started" /* started/APP */
#define POD_LOGS "logs"	      /* logs/APP.log */
/* health/APP, of apps with checks or a restart policy: lines health= ready= restarts= last-exit= */
#define POD_HEALTH "health"

/* --- pod directory: stage1/net --- */
#define POD_NET "net"
#define POD_NET_RESULTS POD_NET "/results" /* .../NETWORK-UUID-IFNAME, libcni's form */
#define POD_NET_INFO "net-info.json"
