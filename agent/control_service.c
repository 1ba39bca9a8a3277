// SPDX-License-Identifier: GPL-2.0-or-later
#include "control_service.h"

#include <errno.h>
#include <string.h>

#include <json-c/json.h>

#include "base/mem.h"
#include "proto/varlink.h"

/* As the standard words it. */
static const char service_description[] =
	"# The Varlink Service Interface is provided by every varlink service. "
	"It\n"
	"# describes the service and the interfaces it implements.\n"
	"interface org.varlink.service\n"
	"\n"
	"# Get a list of all the interfaces a service provides and "
	"information\n"
	"# about the implementation.\n"
	"method GetInfo() -> (\n"
	"  vendor: string,\n"
	"  product: string,\n"
	"  version: string,\n"
	"  url: string,\n"
	"  interfaces: []string\n"
	")\n"
	"\n"
	"# Get the description of an interface that is implemented by this "
	"service.\n"
	"method GetInterfaceDescription(interface: string) -> (description: "
	"string)\n"
	"\n"
	"# The requested interface was not found.\n"
	"error InterfaceNotFound (interface: string)\n"
	"\n"
	"# The requested method was not found\n"
	"error MethodNotFound (method: string)\n"
	"\n"
	"# The interface defines the requested method, but the service does "
	"not\n"
	"# implement it.\n"
	"error MethodNotImplemented (method: string)\n"
	"\n"
	"# One of the passed parameters is invalid.\n"
	"error InvalidParameter (parameter: string)\n"
	"\n"
	"# Client is denied access\n"
	"error PermissionDenied ()\n"
	"\n"
	"# Method is expected to be called with 'more' set to true, but wasn't\n"
	"error ExpectedMore ()\n";

static int add(
	struct json_object *o, const char *key, struct json_object *value)
{
	if (value && json_object_object_add(o, key, value) == 0)
		return 0;
	json_object_put(value);
	return -ENOMEM;
}

static int append(struct json_object *array, const char *text)
{
	struct json_object *value = json_object_new_string(text);

	if (value && json_object_array_add(array, value) == 0)
		return 0;
	json_object_put(value);
	return -ENOMEM;
}

struct json_object *control_service_text(const char *key, const char *text)
{
	struct json_object *o = json_object_new_object();

	if (o && add(o, key, json_object_new_string(text)) < 0) {
		json_object_put(o);
		return NULL;
	}
	return o;
}

static int fill_info(struct json_object *o)
{
	static const char *const texts[][2] = {
		{"vendor", "ullage"},
		{"product", "ullage"},
		{"version", PACKAGE_VERSION},
		{"url", ""},
	};
	struct json_object *list;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (add(o, texts[i][0], json_object_new_string(texts[i][1])) <
			0)
			return -ENOMEM;
	list = json_object_new_array();
	if (add(o, "interfaces", list) < 0 ||
		append(list, CONTROL_SERVICE) < 0 ||
		append(list, VARLINK_INTERFACE) < 0)
		return -ENOMEM;
	return 0;
}

static struct json_object *get_info(void)
{
	struct json_object *o = json_object_new_object();

	if (o && fill_info(o) < 0) {
		json_object_put(o);
		return NULL;
	}
	return o;
}

static struct json_object *get_description(
	struct json_object *parameters, const char **ret_error)
{
	struct json_object *value =
		json_object_object_get(parameters, "interface");
	const char *name = json_object_get_string(value);

	if (!json_object_is_type(value, json_type_string)) {
		*ret_error = CONTROL_SERVICE ".InvalidParameter";
		return control_service_text("parameter", "interface");
	}
	if (strcmp(name, VARLINK_INTERFACE) == 0)
		return control_service_text("description", varlink_description);
	if (strcmp(name, CONTROL_SERVICE) == 0)
		return control_service_text("description", service_description);
	*ret_error = CONTROL_SERVICE ".InterfaceNotFound";
	return control_service_text("interface", name);
}

int control_service_answer(const char *method, struct json_object *parameters,
	const char **ret_error, struct json_object **ret_reply)
{
	const char *error = NULL;
	struct json_object *reply;

	if (strcmp(method, "GetInfo") == 0) {
		reply = get_info();
	} else if (strcmp(method, "GetInterfaceDescription") == 0) {
		reply = get_description(parameters, &error);
	} else {
		error = CONTROL_SERVICE ".MethodNotFound";
		reply = control_service_text("method", method);
	}
	if (!reply)
		return -ENOMEM;
	*ret_error = error;
	*ret_reply = reply;
	return 0;
}
