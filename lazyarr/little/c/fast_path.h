/* What the files of this extension share. `module.c` says what it is for. */

#ifndef LAZYARR_FAST_PATH_H
#define LAZYARR_FAST_PATH_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>

#define NPY_NO_DEPRECATED_API NPY_2_0_API_VERSION
#define NPY_TARGET_VERSION NPY_2_0_API_VERSION
#define PY_ARRAY_UNIQUE_SYMBOL lazyarr_fast_path_array
#define PY_UFUNC_UNIQUE_SYMBOL lazyarr_fast_path_ufunc
#ifndef FAST_PATH_IMPORTS
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#endif
#include <numpy/arrayobject.h>
#include <numpy/arrayscalars.h>
#include <numpy/ufuncobject.h>

/* Axes and operands of what is computed here; more is left to Python. */
#define MOST_AXES 8
#define MOST_OPERANDS 3
/* Number types of NumPy that have loops here: bool to complex128, by their numbers. */
#define TYPES (NPY_CLONGDOUBLE + 1)

#define IS_LIST(x) (PyList_CheckExact(x) || PyTuple_CheckExact(x))
/* Numbers in lists that are operands, or written; longer lists are left to Python. */
#define MOST_LISTED 1000

/* Attributes of lazyarr's classes that are read here: where objects keep them. */
#define PLACES(X)                                                                                                    \
    X(array, _mine)                                                                                                  \
    X(array, _lent)                                                                                                  \
    X(array, _cell)                                                                                                  \
    X(array, _form) X(array, _parent) X(array, _seen) X(array, _scalar) X(array, _shape) X(array, _strides)          \
        X(array, _writeable) X(array, _dtype) X(array, _offset) X(array, _step) X(cell, value) X(leaf, data)        \
            X(lent, again) X(lent, base) X(lent, depth) X(lent, given) X(lent, how) X(lent, look) X(lent, parent) X(lent, root) X(lent, seen)

/* What the Python side has told: see `install` in module.c. */
typedef struct {
    PyTypeObject *array;           /* LazyArray */
    PyObject *libraries;           /* module -> whether it wants NumPy's arrays: `lazyarr.libraries.known` */
    PyObject *hand_out;            /* gives memory of an array to be written to: `lazyarr.aliased.handed_out` */
    PyObject *ask_for_numpys;      /* `lazyarr.operators.ASK_FOR_NUMPYS` */
    PyTypeObject *shown;           /* the class that programs know, which `__class__` gives */
    PyTypeObject *cell;            /* what holds the value of one that has settled, */
    PyTypeObject *leaf;            /* and the node of such data */
    PyTypeObject *lent;            /* lazyarr.little.data.Lent */
    PyObject *look;                /* lazyarr.indexing.get */
    PyObject *shape, *ndim, *size; /* give these of any array */
    PyObject *tracing;             /* the context variable that is set while something is traced */
    PyObject *ranks;               /* a list: empty where one process runs the program */
    PyObject *counted;             /* told there how many operations have been done here */
    PyObject *running;             /* a list of the threads in which definitions of lazyarr's own are at work */
    PyObject *lazy_scalar;         /* gives such a definition a NumPy scalar as a lazy one */
    PyObject *to_numpy;            /* the method `__array__` of any array */
    PyObject *acquire, *release;   /* of a lock that is held while an array's data is written, or becomes a value */
    Py_ssize_t deepest;            /* views of views that Lent may be */
    double limit;                  /* elements that are little work; 0 for none, -1 where Python does it all */
    double base;                   /* what the limit will be again: see `reaches`; 0 where it is that */
    long left;                     /* after so many operations */
    PyObject *ended;               /* to be called then */
    double bools, in_place, unfused, singles; /* what elements weigh there, as lazyarr.eager says it */
#define PLACE(type, name) Py_ssize_t type##_##name;
    PLACES(PLACE)
#undef PLACE
} Known;

extern Known known;

/* An attribute (borrowed); NULL where it is not set. */
#define SLOT(object, place) (*(PyObject **)((char *)(object) + known.place))

/* An operand: elements of one type in memory that somebody else keeps alive, or a number. */
typedef struct {
    int type;     /* NumPy's number of the type; -1 for Python's numbers */
    int is_array; /* an ndarray, not a scalar */
    int nd;
    npy_intp *dims, *strides;
    char *data;
    PyObject *number; /* Python's int, float or complex, else NULL */
    PyObject *holder; /* whose memory it is (borrowed): an ndarray or a scalar of NumPy's; else NULL */
    PyObject *own;    /* what has been made of it: to be released */
    union {
        npy_cdouble as_cdouble;
        npy_cfloat as_cfloat;
        double as_double;
        float as_float;
        npy_long as_long;
        npy_int as_int;
        npy_byte as_byte;
        npy_ubyte as_ubyte;
        npy_short as_short;
        npy_ushort as_ushort;
        npy_uint as_uint;
        npy_ulong as_ulong;
    } value; /* what `data` points to, of Python's numbers */
} Operand;

#define MOST_GIVEN 16
/* Lists in lists that are looked into. */
#define DEEPEST_LIST 3

/* The data in the arguments of a function. */
typedef struct {
    PyArrayObject *arrays[MOST_GIVEN]; /* borrowed */
    int count, numbers;
    int no_empty; /* arrays without elements are left to Python: NumPy warns, or raises */
} Given;

/* A ufunc's loops for operands of one type each. */
typedef struct {
    PyUFuncGenericFunction run;
    void *data;
    int result;
} Loop;

/* What an element weighs beside an addition (lazyarr.eager.Weight). */
typedef struct {
    double reals, singles, complexes;
} Weight;

typedef struct {
    int nin;
    Weight weight;
    int of_floats; /* whether other types are left to Python */
    PyObject *recorder; /* what records a call with large arrays (recorded.c); NULL for none */
    PyObject *writer;   /* and one that writes to its first operand */
    struct Plain *plain; /* how plain calls are recorded here (recorded.c); NULL where they are not */
    Loop loops[TYPES];
} Loops;

/* data.c */
int is_traced(void);
int may_run(void);
int reaches(double work);
double settled_limit(void);
PyObject *settled(PyObject *array);
PyObject *data_of_cell(PyObject *array);
int is_view(PyObject *array);
PyObject *data_of(PyObject *array);
void reclaim(PyObject *mine);
PyObject *data_to_write(PyObject *array);
PyObject *new_array(void);
int is_light(PyObject *array);
PyObject *array_of(PyObject *data);
void install_pool(void);

/* operands.c */
int operand_of(PyObject *object, Operand *found);
int lists_numbers(PyObject *list);
int as_type(Operand *operand, int type);
int cast_operand(Operand *operand, int type);
int promote(Operand *operands, int count);
void hold(Operand *operands, int count);
void release(Operand *operands, int count);

/* loops.c */
Loops *loops_of(PyObject *ufunc, Weight weight);
double weight_of_type(const Loops *loops, int type);
PyObject *compute(const Loops *loops, Operand *operands, PyArrayObject *spare);
PyObject *scalar_of_type(char *data, int type);
int may_overlap(PyArrayObject *x, PyArrayObject *y);
int compute_into(const Loops *loops, Operand *operands, PyObject *array, PyArrayObject *target);
int assign(PyArrayObject *target, Operand *value);

/* reductions.c */
PyObject *reduce_all(const Loops *loops, PyArrayObject *data, int identity);
PyObject *reduce_along(const Loops *loops, PyArrayObject *data, int axis, int keeps, int identity, int divides);
PyObject *truth_of(PyArrayObject *data, int wanted);
PyObject *variance(const Loops *loops, PyArrayObject *data, int axis, int of_all, int keeps, long degrees);
PyObject *deviation(PyObject *found);
PyObject *accumulate(PyArrayObject *data, int axis, int of_all, int identity);

/* spare.c */
PyObject *spare_of(PyObject *x, PyObject *y, void *caller);

/* masks.c */
void prepare_masks(void);
PyObject *take_by(PyArrayObject *x, PyArrayObject *positions);
PyObject *where_of(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *select_by(PyArrayObject *x, PyArrayObject *mask);
int put_by(PyArrayObject *x, PyArrayObject *mask, PyArrayObject *values);

/* scatter.c */
int scatter(const char *name, PyArrayObject *x, PyObject *key, PyObject *values);

/* elements.c */
PyObject *get_item(PyObject *self, PyObject *key);
PyObject *lent_by(PyObject *self, PyObject *look, PyObject *again, PyObject *const *how, Py_ssize_t count,
                  int may_copy);
PyObject *selection(PyObject *key);
int begin_write(void);
int end_write(void);
int set_item(PyObject *self, PyObject *key, PyObject *value);

/* recorded.c */
PyObject *recorded(const Loops *own, PyObject *const *operands, int count);
PyObject *recorded_into(const Loops *own, PyObject *const *operands, int count);
struct Plain *plain_of(PyObject *op, PyObject *loops, int looks_at_ints);

/* boxes.c */
PyObject *boxed(PyObject *array, PyObject *key);

/* recipes.c */
PyObject *recalled(PyObject *function, PyObject *const *args, Py_ssize_t count, PyObject *names);

/* slots.c */
int install_slots(PyObject *tables);
int install_call(PyTypeObject *type, PyObject *tables, PyObject *known_libraries);

/* results.c */
extern PyObject *wrap_result;
PyObject *result(PyObject *found, const Given *given);
PyObject *new_result(PyObject *found);

/* functions.c */
typedef struct Function Function;
const Function *function_of(PyObject *numpy);
PyObject *call_with(const Function *function, PyObject *const *args, Py_ssize_t count, PyObject *names);
PyObject *call_quietly(PyObject *function, PyObject *const *args, Py_ssize_t count, PyObject *names);
void leave_to_python(void);
int is_known_type(int type);
int is_known_scalar(PyObject *x);
int is_plain(PyObject *x);
PyObject *argument(PyObject *x, Given *given, int depth);
PyObject *cast_to(PyArrayObject *data, PyArray_Descr *descr);
PyObject *operate(binaryfunc operator, PyObject * x, PyObject *y);
PyObject *call_at(PyObject *method, PyObject *array, PyObject *key, PyObject *const *operands, Py_ssize_t count);
PyObject *call_function(PyObject *module, PyObject *const *given, Py_ssize_t count);
int install_functions(PyObject *table, PyObject *names, PyObject *wrapper, PyObject *context);

/* module.c */
Py_ssize_t place_of(PyTypeObject *type, const char *name);

/* calls.c */
int prepare_calls(PyObject *module);

/* attributes.c */
PyObject *shape_of(PyObject *self);
PyObject *ndim_of(PyObject *self);
PyObject *size_of(PyObject *self);
int install_attributes(void);
PyObject *call_method(PyObject *method, PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names);
PyObject *cast_of(PyObject *self, PyObject *wanted);
PyObject *copy_of(PyObject *self, NPY_ORDER order);

#endif
