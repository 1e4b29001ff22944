/* What the files of this extension share. */

#ifndef LAZYARR_WALK_H
#define LAZYARR_WALK_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>

#define SLOT(object, place) (*(PyObject **)((char *)(object) + (place)))

/* walk.c */
Py_ssize_t place_of(PyTypeObject *type, const char *name);

/* make.c */
int add_making(PyObject *module);

#endif
