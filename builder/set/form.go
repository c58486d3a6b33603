package set

import (
	"encoding/json"
	"fmt"
)

// FormError reports that a record has a form that this version of namibuild does not read.
type FormError struct {
	File      string // the name of the record
	Got, Want int    // Got is 0 for a record of a version that did not number the forms
}

func (e *FormError) Error() string {
	if e.Got > e.Want {
		return fmt.Sprintf("%s has form %d, this namibuild reads form %d: a newer namibuild made it", e.File, e.Got, e.Want)
	}
	return fmt.Sprintf("%s has form %d, this namibuild reads form %d: an earlier version of namibuild made it", e.File, e.Got, e.Want)
}

// Decode parses a JSON record into v. Every record has the number of its form in the field
// "form". The error is a *FormError if that is not the given form.
func Decode(file string, data []byte, form int, v any) error {
	var head struct {
		Form int `json:"form"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return err
	}
	if head.Form != form {
		return &FormError{file, head.Form, form}
	}
	if err := json.Unmarshal(data, v); err != nil {
		return err
	}
	return nil
}
