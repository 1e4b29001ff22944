/* What records work on large data here: see pending.c and recorded.c. */

#ifndef LAZYARR_RECORDING_H
#define LAZYARR_RECORDING_H

#include "fast_path.h"

/* Attributes of the classes of what is recorded: where objects keep them. */
#define RECORDED_PLACES(X)                                                                                           \
    X(node, op) X(node, operands) X(node, attrs) X(node, known) X(node, kw) X(node, types) X(node, lines)            \
        X(leaf, data) X(leaf, constant) X(type, dtype) X(type, shape) X(recording, cells) X(recording, holders)      \
            X(recording, little) X(recording, observer) X(recording, since_flush) X(row, in_a_row) X(row, _found)    \
                X(row, _most)

/* What the Python side has told: see `install_recording` in module.c. */
typedef struct {
    PyTypeObject *node, *value, *type; /* classes of lazyarr.ir: Node, Value, ArrayType */
    PyTypeObject *leaf;
    PyTypeObject *recording, *row;     /* lazyarr.runtime.Recording, lazyarr.eager.LittleInARow */
    PyObject *most;                    /* operations that such a row has at first */
    PyObject *threads;                 /* has the recording of each thread */
    PyObject *update;                  /* the operation of writes to parts */
    PyObject *record;                  /* ``record(op, operands)``: a node of the user's line */
    PyObject *contiguous;              /* `lazyarr.strides.contiguous` */
    PyObject *look_at;                 /* gives the value of any array */
    PyObject *leaves;                  /* of types of floats: a value of such data */
    PyObject *scalars;                 /* the same of NumPy's scalars, by their classes */
    PyObject *cast, *number;           /* `lazyarr.convert.cast`, and `scalar_value` */
    PyObject *kept_order;              /* ``kept_order(operands, shape, itemsize)``: strides of a result */
    PyObject *zero, *recording_name, *hold_name, *assign_name;
    long flush_after;                  /* operations that are recorded before they are run; -1: Python decides it all */
#define PLACE(type, name) Py_ssize_t type##_##name;
    RECORDED_PLACES(PLACE)
#undef PLACE
} Recorder;

extern Recorder recorder;

/* An attribute (borrowed); NULL where it is not set. */
#define RECORDED(object, place) (*(PyObject **)((char *)(object) + recorder.place))

/* pending.c */
int node_and_type(PyObject *value, PyObject **node, PyObject **type);
PyObject *value_of(PyObject *node, PyObject *index);
double elements_of_shape(PyObject *shape);
int contiguous(PyObject *type, Py_ssize_t *strides);
int are_equal(PyObject *tuple, const Py_ssize_t *numbers, int count);
PyObject *tuple_of(const Py_ssize_t *numbers, int count);
PyObject *array_of_value(PyObject *value, PyObject *strides, int is_scalar);
PyObject *new_of_value(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names);
int install_recorder(PyObject *args);

/* recorded.c */
int may_record(void);
int is_pending(PyObject *array);
PyObject *value_seen(PyObject *array);
int is_type_of_numbers(PyObject *type);
PyObject *value_of_number(PyObject *x, PyObject *dtype);

/* boxes.c */
int settle_lent(PyObject *view);
PyObject *read_of(PyObject *view, PyObject *stored);
int install_boxing(PyObject *args);

/* recipes.c */
int install_recalling(PyObject *args);

#endif
