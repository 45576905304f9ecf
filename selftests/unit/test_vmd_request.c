// SPDX-License-Identifier: GPL-2.0-only
/* vmd's requests: their form, which VM they mean, who may. The operations are counted only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#undef fail	/* vmd has one, too: cmocka's fail_msg() goes with it */
#define wrong(...)				\
	do {					\
		print_error(__VA_ARGS__);	\
		assert_true(false);		\
	} while (0)

#include "vmd/control.h"
#include "vmd/js.h"
#include "vmd/requests.h"

#define ALICE	1001
#define FUZZ_ROUNDS	20000

struct control control = { .admin_gid = 901 };

static struct machine vms[] = {
	{ .next = &vms[1], .id = 7, .def = { .name = "web",
	  .uuid = "abcd0000-0000-4000-8000-000000000001",
	  .owner = { OWNER_USER, "alice", ALICE } } },
	{ .next = &vms[2], .id = 12, .def = { .name = "db",
	  .uuid = "abcd1111-0000-4000-8000-000000000002" } },
	{ .def = { .name = "abcd", .uuid = "12345678-0000-4000-8000-000000000003" } },
};

static struct client client;
static struct peer peer;
static struct machine *meant;	/* by the last request */
static const char *did;		/* the operation's name */
static char answer[1024];

/* What the control process has elsewhere. */
#define OP(name)						\
	void op_##name(struct request *req)			\
	{							\
		did = #name;					\
		meant = req->vm;				\
	}
OP(version) OP(list) OP(show) OP(create) OP(delete) OP(log) OP(events) OP(check)
OP(reload) OP(start) OP(stop) OP(pause) OP(resume) OP(reset) OP(nmi) OP(wait) OP(console)
OP(balloon) OP(memory) OP(disk_add) OP(disk_remove) OP(disk_list) OP(disk_resize)
OP(net_add) OP(net_remove) OP(net_list) OP(device_add) OP(device_remove) OP(device_list)

struct machine *machines(void)
{
	return vms;
}

struct machine *machine_find(const char *name)
{
	struct machine *vm;

	for (vm = vms; vm; vm = vm->next)
		if (!strcmp(vm->def.name, name))
			return vm;
	return NULL;
}

struct machine *machine_find_id(const char *text)
{
	return !strcmp(text, "7") ? &vms[0] : !strcmp(text, "12") ? &vms[1] : NULL;
}

int peer_get(int sock, struct peer *p)
{
	*p = peer;
	return 0;
}

bool peer_is_admin(const struct peer *p, u32 gid)
{
	return !p->uid;
}

bool peer_owns(const struct peer *p, const struct owner *owner)
{
	return owner->kind == OWNER_USER && owner->id == p->uid;
}

int fail(struct failure *f, const char *code, const char *fmt, ...)
{
	va_list args;

	*f = (struct failure) { .code = code };
	va_start(args, fmt);
	vsnprintf(f->why.text, sizeof(f->why.text), fmt, args);
	va_end(args);
	return -1;
}

void client_send(struct client *c, struct json_object *line, int fd)
{
	snprintf(answer, sizeof(answer), "%s",
		 json_object_to_json_string_ext(line, JSON_C_TO_STRING_PLAIN));
	json_object_put(line);
}

/* Return: the error's code, or the operation's name. */
static const char *ask_as(u32 uid, const char *text)
{
	static char code[64];
	struct json_object *obj;
	char *copy = strdup(text);

	peer.uid = uid;
	did = NULL;
	meant = NULL;
	answer[0] = '\0';
	client_line(&client, copy, strlen(copy));
	free(copy);
	if (did) {
		assert_string_equal(answer, "");
		return did;
	}
	obj = json_tokener_parse(answer);
	snprintf(code, sizeof(code), "%s", js_text(js_get(obj, "error"), "code") ?: "nothing");
	assert_false(js_bool(obj, "ok", true));
	json_object_put(obj);
	return code;
}

static const struct {
	const char *line;
	const char *result;
} examples[] = {
	{ "{\"v\":1,\"op\":\"list\"}", "list" },
	{ "{\"v\":1,\"op\":\"list\"}\r", "list" },
	{ " {\"op\":\"list\",\"id\":\"x\",\"v\":1} ", "list" },
	{ "{\"v\":1,\"id\":1.5,\"op\":\"version\"}", "version" },
	{ "{\"v\":1,\"id\":null,\"op\":\"version\"}", "version" },
	{ "{\"v\":1,\"op\":\"stop\",\"vm\":\"web\",\"force\":true,\"timeout\":0}", "stop" },
	{ "{\"v\":1,\"op\":\"stop\",\"vm\":\"web\",\"timeout\":2.5}", "stop" },
	{ "{\"v\":1,\"op\":\"events\"}", "events" },
	{ "{\"v\":1,\"op\":\"events\",\"vm\":\"web\"}", "events" },
	{ "{\"v\":1,\"op\":\"config-check\"}", "check" },
	{ "no json", "bad-request" },
	{ "[]", "bad-request" },
	{ "1", "bad-request" },
	{ "{", "bad-request" },
	{ "{}", "bad-request" },
	{ "{\"v\":1,\"op\":\"list\"} x", "bad-request" },
	{ "{\"v\":1,\"op\":\"list\"}{}", "bad-request" },
	{ "{'v':1,'op':'list'}", "bad-request" },
	{ "{\"v\":1,\"op\":\"list\",}", "bad-request" },
	{ "{\"v\":1,\"op\":\"\xff\"}", "bad-request" },
	{ "{\"v\":1,\"op\":\"create\",\"definition\":{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":{\"f\":\n"
	  "{\"g\":1}}}}}}}}", "bad-request" },
	{ "{\"op\":\"list\"}", "bad-request" },
	{ "{\"v\":2,\"op\":\"list\"}", "bad-version" },
	{ "{\"v\":\"1\",\"op\":\"list\"}", "bad-version" },
	{ "{\"v\":1}", "bad-request" },
	{ "{\"v\":1,\"op\":1}", "bad-request" },
	{ "{\"v\":1,\"op\":\"fly\"}", "unknown-op" },
	{ "{\"v\":1,\"op\":\"List\"}", "unknown-op" },
	{ "{\"v\":1,\"id\":{},\"op\":\"list\"}", "bad-request" },
	{ "{\"v\":1,\"id\":true,\"op\":\"list\"}", "bad-request" },
	{ "{\"v\":1,\"op\":\"list\",\"vm\":\"web\"}", "bad-request" },
	{ "{\"v\":1,\"op\":\"start\"}", "bad-request" },
	{ "{\"v\":1,\"op\":\"start\",\"vm\":null}", "bad-request" },
	{ "{\"v\":1,\"op\":\"balloon\",\"vm\":\"web\",\"target\":8589934592}", "balloon" },
	{ "{\"v\":1,\"op\":\"balloon\",\"vm\":\"web\",\"target\":0}", "bad-request" },
	{ "{\"v\":1,\"op\":\"balloon\",\"vm\":\"web\",\"reclaim\":true,\"timeout\":1}", "balloon" },
	{ "{\"v\":1,\"op\":\"balloon\",\"vm\":\"web\",\"reclaim\":1}", "bad-request" },
	{ "{\"v\":1,\"op\":\"balloon\",\"vm\":\"web\",\"target\":-4096}", "bad-request" },
	{ "{\"v\":1,\"op\":\"balloon\",\"vm\":\"web\",\"target\":4096.0}", "bad-request" },
	{ "{\"v\":1,\"op\":\"balloon\",\"vm\":\"web\",\"target\":\"1G\"}", "bad-request" },
	{ "{\"v\":1,\"op\":\"start\",\"vm\":[]}", "bad-request" },
	{ "{\"v\":1,\"op\":\"start\",\"vm\":1.5}", "bad-request" },
	{ "{\"v\":1,\"op\":\"start\",\"vm\":\"web\",\"force\":true}", "bad-request" },
	{ "{\"v\":1,\"op\":\"stop\",\"vm\":\"web\",\"force\":1}", "bad-request" },
	{ "{\"v\":1,\"op\":\"stop\",\"vm\":\"web\",\"timeout\":-1}", "bad-request" },
	{ "{\"v\":1,\"op\":\"stop\",\"vm\":\"web\",\"timeout\":1e10}", "bad-request" },
	{ "{\"v\":1,\"op\":\"stop\",\"vm\":\"web\",\"timeout\":\"1\"}", "bad-request" },
	{ "{\"v\":1,\"op\":\"create\",\"definition\":[]}", "bad-request" },
	{ "{\"v\":1,\"op\":\"show\",\"vm\":\"nothing\"}", "not-found" },
};

static void test_form(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(examples); i++) {
		const char *result = ask_as(0, examples[i].line);

		if (strcmp(result, examples[i].result))
			wrong("%s: %s, not %s\n", examples[i].line, result, examples[i].result);
	}
}

static void test_id_comes_back(void **state)
{
	ask_as(0, "{\"v\":1,\"id\":\"x\\n\",\"op\":\"fly\"}");
	assert_non_null(strstr(answer, "\"id\":\"x\\n\""));
	ask_as(0, "{\"v\":9,\"id\":7,\"op\":\"fly\"}");
	assert_non_null(strstr(answer, "\"id\":7"));
	ask_as(0, "{}");
	assert_non_null(strstr(answer, "\"id\":null"));
}

static const char *ask_for(u32 uid, const char *which)
{
	char text[256];

	snprintf(text, sizeof(text), "{\"v\":1,\"op\":\"show\",\"vm\":%s}", which);
	return ask_as(uid, text);
}

static void test_which(void **state)
{
	static const struct {
		const char *which;
		const struct machine *vm;
	} good[] = {
		{ "\"web\"", &vms[0] }, { "7", &vms[0] }, { "\"12\"", &vms[1] },
		{ "\"abcd0\"", &vms[0] }, { "\"ABCD1111-0\"", &vms[1] },
		{ "\"abcd11110\"", &vms[1] },
		{ "\"abcd0000-0000-4000-8000-000000000001\"", &vms[0] },
		/* A name that is a prefix, too; a number that is one and no id. */
		{ "\"abcd\"", &vms[2] }, { "12345678", &vms[2] },
	};
	static const char *const none[] = {
		"\"abc\"", "\"we\"", "\"\"", "\"-\"", "\"----\"", "8", "-7", "\"07\"",
		"\"abcd0000-0000-4000-8000-0000000000011\"", "\"abcd-0000\"", "123",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		ask_for(0, good[i].which);
		if (meant != good[i].vm)
			wrong("%s means %s\n", good[i].which,
			      meant ? meant->def.name : "nothing");
	}
	for (i = 0; i < ARRAY_SIZE(none); i++)
		if (strcmp(ask_for(0, none[i]), "not-found"))
			wrong("%s means %s\n", none[i], meant ? meant->def.name : "?");
}

static void test_whose(void **state)
{
	assert_string_equal(ask_for(ALICE, "\"web\""), "show");
	assert_string_equal(ask_for(ALICE, "\"db\""), "not-found");
	assert_string_equal(ask_for(ALICE, "12"), "not-found");
	assert_string_equal(ask_for(ALICE, "\"abcd1\""), "not-found");
	/* What she may not see does not make it ambiguous, either. */
	assert_string_equal(ask_for(ALICE, "\"abcd\""), "show");
	assert_ptr_equal(meant, &vms[0]);
	vms[2].def.name[0] = 'x';
	assert_string_equal(ask_for(0, "\"abcd\""), "ambiguous");
	vms[2].def.name[0] = 'a';
	assert_string_equal(ask_as(ALICE, "{\"v\":1,\"op\":\"reload\"}"), "not-yours");
	assert_string_equal(ask_as(0, "{\"v\":1,\"op\":\"reload\"}"), "reload");
	assert_string_equal(ask_as(ALICE, "{\"v\":1,\"op\":\"list\"}"), "list");
}

static void test_mutated(void **state)
{
	static const char good[] =
		"{\"v\":1,\"id\":\"x\",\"op\":\"stop\",\"vm\":\"abcd0\",\"force\":true}";
	char text[sizeof(good)];
	int i, k;

	srand(1);
	for (i = 0; i < FUZZ_ROUNDS; i++) {
		memcpy(text, good, sizeof(text));
		for (k = rand() % 3; k >= 0; k--)
			text[rand() % (sizeof(text) - 1)] = (char)(1 + rand() % 255);
		client_line(&client, text, strlen(text));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_id_comes_back),
		cmocka_unit_test(test_which),
		cmocka_unit_test(test_whose),
		cmocka_unit_test(test_mutated),
	};

	return cmocka_run_group_tests_name("vmd_request", tests, NULL, NULL);
}
